-- Processes whose leases have run out.
-- KEYS: nodes. ARGV: the clock, how many at most.
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(time(ARGV[1])), 'LIMIT', 0, ARGV[2])

-- A process lives: its lease runs for so many milliseconds from now.
-- KEYS: nodes. ARGV: the clock, the process, the lease.
return redis.call('ZADD', KEYS[1], text(time(ARGV[1]) + ARGV[3]), ARGV[2])

-- Leases calls whose deadline has come, what was due first before the rest.
-- KEYS: due. ARGV: the clock, the lease in milliseconds, how many at most. Answers their ids.
local now = time(ARGV[1])
local calls = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[3])
for _, id in ipairs(calls) do
    redis.call('ZADD', KEYS[1], text(now + ARGV[2]), id)
end
return calls

-- Leases the first output of calls for which one may be leased, what was due first before the rest.
-- KEYS: queue, outputs, bodies, attempts. ARGV: the clock, the lease in milliseconds, how many at most.
-- Answers of each its name, how often it was leased before, and its body.
local queue, outputs, bodies, attempts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local now = time(ARGV[1])
local claimed = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, '-inf', text(now), 'LIMIT', 0, ARGV[3])) do
    local first = redis.call('ZRANGEBYLEX', outputs, '[' .. id .. ':', '(' .. id .. ';', 'LIMIT', 0, 1)[1]
    if first then
        claimed[#claimed + 1] = {first, redis.call('HINCRBY', attempts, first, 1) - 1, redis.call('HGET', bodies, first) or ''}
        redis.call('ZADD', queue, text(now + ARGV[2]), id)
    else
        redis.call('ZREM', queue, id)
    end
end
return claimed

-- Gives calls of a process whose lease has run out to another one; each call to one process, whoever else asks.
-- KEYS: nodes, owners, owned. ARGV: the clock, who is silent, who takes them over, how many at most, the channel on which the others hear of it:
-- one that was only frozen is among them. Answers their ids.
local nodes, owners, owned = KEYS[1], KEYS[2], KEYS[3]
local silent, heir, channel = ARGV[2], ARGV[3], ARGV[5]
local lease = redis.call('ZSCORE', nodes, silent)
if lease and tonumber(lease) > time(ARGV[1]) then
    return {}
end
local calls = {}
for _, name in ipairs(redis.call('ZRANGEBYLEX', owned, '[' .. silent .. ':', '(' .. silent .. ';', 'LIMIT', 0, ARGV[4])) do
    local id = string.sub(name, #silent + 2)
    redis.call('ZREM', owned, name)
    redis.call('ZADD', owned, 0, heir .. ':' .. id)
    redis.call('HSET', owners, id, heir)
    redis.call('PUBLISH', channel, '{"adopted":{"call":"' .. id .. '","by":"' .. heir .. '"}}')
    calls[#calls + 1] = id
end
if #calls < tonumber(ARGV[4]) then
    redis.call('ZREM', nodes, silent)
end
return calls

-- A process serves the legs of a live call from now on.
-- KEYS: live, owners, owned. ARGV: the call, the process, the channel on which the others hear of it.
local id, node = ARGV[1], ARGV[2]
local before = redis.call('HGET', KEYS[2], id)
if before == node or not redis.call('ZSCORE', KEYS[1], id) then
    return 0
end
if before then
    redis.call('ZREM', KEYS[3], before .. ':' .. id)
end
redis.call('HSET', KEYS[2], id, node)
redis.call('ZADD', KEYS[3], 0, node .. ':' .. id)
redis.call('PUBLISH', ARGV[3], '{"served":{"call":"' .. id .. '","by":"' .. node .. '"}}')
return 1

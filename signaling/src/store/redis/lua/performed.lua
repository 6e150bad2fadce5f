-- Takes an output away and lets the next one of its call come first.
-- KEYS: queue, outputs, bodies, attempts. ARGV: the clock, the call, the output's name.
local queue, outputs, bodies, attempts = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, name = ARGV[2], ARGV[3]
local function first()
    return redis.call('ZRANGEBYLEX', outputs, '[' .. id .. ':', '(' .. id .. ';', 'LIMIT', 0, 1)[1]
end
local before = first()
redis.call('ZREM', outputs, name)
redis.call('HDEL', bodies, name)
redis.call('HDEL', attempts, name)
local now = first()
if not now then
    redis.call('ZREM', queue, id)
elseif now ~= before then
    redis.call('ZADD', queue, text(time(ARGV[1])), id)
end
return 1

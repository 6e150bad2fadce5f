-- Lets the first output of a call be leased again from a time on. One that waits behind it has no time yet.
-- KEYS: queue, outputs. ARGV: the clock, the call, the output's name, in how many milliseconds.
local id = ARGV[2]
local first = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. id .. ':', '(' .. id .. ';', 'LIMIT', 0, 1)[1]
if first == ARGV[3] then
    redis.call('ZADD', KEYS[1], text(time(ARGV[1]) + ARGV[4]), id)
end
return 1

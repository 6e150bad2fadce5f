-- Which of these users hold a place in a call other than one.
-- KEYS: places. ARGV: the other call, or nothing; the users.
local busy = {}
for index = 2, #ARGV do
    local user = ARGV[index]
    -- Of two places one at least is in another call.
    for _, place in ipairs(redis.call('ZRANGEBYLEX', KEYS[1], '[' .. user .. ':', '(' .. user .. ';', 'LIMIT', 0, 2)) do
        if place ~= user .. ':' .. ARGV[1] then
            busy[#busy + 1] = user
            break
        end
    end
end
return busy

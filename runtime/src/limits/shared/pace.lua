-- Adds what a node has spent of some paces, and answers what is owed of each by all nodes, in µs: the time until it is whole again.
-- KEYS: for each pace the instant at which it is whole, in µs. ARGV: for each, what was spent and the most that is remembered, in µs.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local owed = {}

for i, key in ipairs(KEYS) do
    local spent, most = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local whole = tonumber(redis.call('GET', key) or now)
    -- A clock that was set back must not make anyone owe more than the most.
    local debt = math.min(math.max(whole - now, 0) + spent, most)
    redis.call('SET', key, string.format('%.0f', now + debt), 'PX', math.max(math.ceil(debt / 1000), 1))
    owed[i] = debt
end
return owed

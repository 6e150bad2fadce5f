-- Draws one unit from several exact budgets, from all of them or from none.
-- KEYS: for each budget the list of the times at which it was drawn from, oldest first, in ms. ARGV: count and window in ms, for each.
-- Answers the time, and of each budget: whether it allows it, what remains, ms until it is at rest, ms until it would allow it.
local time = redis.call('TIME')
local wall = time[1] * 1000 + math.floor(time[2] / 1000)
local budgets, allowed = {}, true

for i, key in ipairs(KEYS) do
    local count, window = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
    local newest = tonumber(redis.call('LINDEX', key, -1) or wall)
    if newest > wall + window then
        -- The clock was set back (another master, say): nobody is to wait until it is there again.
        redis.call('DEL', key)
        newest = wall
    end
    -- Time never runs backwards within a budget.
    local now = math.max(wall, newest)
    local oldest = redis.call('LINDEX', key, 0)
    while oldest and oldest + window <= now do
        redis.call('LPOP', key)
        oldest = redis.call('LINDEX', key, 0)
    end
    local live = redis.call('LLEN', key)
    local budget = { key = key, now = now, window = window, count = count, live = live, newest = newest, retry = 0 }
    if live >= count then
        allowed = false
        -- When so many have left that one fits.
        local leaves = redis.call('LINDEX', key, live - count)
        budget.retry = math.max(leaves and leaves + window - now or window, 1)
    end
    budgets[i] = budget
end

local answer = { wall }
for _, budget in ipairs(budgets) do
    local reset = 0
    if allowed then
        redis.call('RPUSH', budget.key, budget.now)
        reset = budget.window
        redis.call('PEXPIRE', budget.key, budget.now + budget.window - wall)
        budget.live = budget.live + 1
    elseif budget.live > 0 then
        reset = math.max(budget.newest + budget.window - budget.now, 1)
    end
    table.insert(answer, budget.retry == 0 and 1 or 0)
    table.insert(answer, math.max(budget.count - budget.live, 0))
    table.insert(answer, reset)
    table.insert(answer, budget.retry)
end
return answer

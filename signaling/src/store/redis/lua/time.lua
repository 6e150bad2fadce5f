-- Redis' own time in milliseconds since 1970; a test's clock where it has one. Stands before every script that looks at the time.
local function time(clock)
    if clock ~= '' then
        return tonumber(clock)
    end
    local parts = redis.call('TIME')
    return parts[1] * 1000 + math.floor(parts[2] / 1000)
end

local function text(number)
    return string.format('%.0f', number)
end

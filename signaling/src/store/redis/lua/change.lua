-- A new call, or the next version of one, with all that it brings with it: everything or nothing.
--
-- KEYS: the unit; under which client id it was started; and what all calls share, by name below. Then the history of everyone in a call
-- that is over, and the missed calls of those who missed it.
-- ARGV: by name below; then how many places there are, and whose; how many outputs, and which.
-- Answers what became of it: done, changed (another version is there), before (started before: the id), taken (a live call: the id).
local unit, started, due, live, over, conversations, places, outputs, bodies, queue, records, ages, owners, owned =
    KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10], KEYS[11], KEYS[12], KEYS[13], KEYS[14]
local SHARED = 14
local clock, expected, id, version, state, conversation, by, client, deadline, ended, record, node, channel, ttl =
    ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8], ARGV[9], ARGV[10], ARGV[11], ARGV[12], ARGV[13], ARGV[14]
local at = 14

local function list()
    at = at + 1
    local found = {}
    for _ = 1, tonumber(ARGV[at]) do
        at = at + 1
        found[#found + 1] = ARGV[at]
    end
    return found
end

local holders, caused = list(), list()
local goes_on = ended == ''

if expected == '' then
    local before = redis.call('GET', started)
    if before then
        return {'before', before}
    end
    local taken = redis.call('HGET', conversations, conversation)
    if goes_on and taken then
        return {'taken', taken}
    end
    redis.call('SET', started, id)
    if goes_on then
        redis.call('HSET', owners, id, node)
        redis.call('ZADD', owned, 0, node .. ':' .. id)
    end
else
    local there = redis.call('HMGET', unit, 'version', 'ended')
    if there[1] ~= expected then
        return {'changed'}
    end
    -- So a failover that turned the clock back, or a mistake, can't make a version that was there before.
    if there[2] ~= '' or tonumber(version) <= tonumber(expected) then
        return redis.error_reply('CALLS a version grows, and what is over stays over')
    end
end

-- Who held a place and holds none any more, and who holds one now.
local keep = {}
for _, user in ipairs(holders) do
    keep[user] = true
end
for user in string.gmatch(redis.call('HGET', unit, 'places') or '', '%S+') do
    if not keep[user] then
        redis.call('ZREM', places, user .. ':' .. id)
    end
end
for _, user in ipairs(holders) do
    redis.call('ZADD', places, 0, user .. ':' .. id)
end

redis.call('HSET', unit, 'version', version, 'state', state, 'ended', ended, 'places', table.concat(holders, ' '), 'by', by, 'client', client)
redis.call('PEXPIRE', unit, ttl)
redis.call('PEXPIRE', started, ttl)

-- A call's outputs stand in their order in one index; only the first of them has a time at which it may be leased.
local prefix = id .. ':'
local waits = redis.call('ZLEXCOUNT', outputs, '[' .. prefix, '(' .. id .. ';') > 0
for index, body in ipairs(caused) do
    local name = prefix .. string.format('%020.0f:%010.0f', tonumber(version), index - 1)
    redis.call('ZADD', outputs, 0, name)
    redis.call('HSET', bodies, name, conversation .. body)
end
if #caused > 0 and not waits then
    redis.call('ZADD', queue, text(time(clock)), id)
end

if goes_on then
    redis.call('ZADD', due, deadline, id)
    redis.call('ZADD', live, 0, id)
    redis.call('HSET', conversations, conversation, id)
else
    redis.call('ZREM', due, id)
    redis.call('ZREM', live, id)
    if redis.call('HGET', conversations, conversation) == id then
        redis.call('HDEL', conversations, conversation)
    end
    local owner = redis.call('HGET', owners, id)
    if owner then
        redis.call('HDEL', owners, id)
        redis.call('ZREM', owned, owner .. ':' .. id)
    end
    redis.call('ZADD', over, ended, id)
    redis.call('HSET', records, id, record)
    redis.call('ZADD', ages, ended, id)
    for index = SHARED + 1, #KEYS do
        redis.call('ZADD', KEYS[index], 0, id)
    end
end
redis.call('PUBLISH', channel, '{"version":' .. state .. '}')
return {'done'}

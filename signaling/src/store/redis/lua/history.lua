-- A user's records, the latest first.
-- KEYS: their history, records. ARGV: where to begin (as ZREVRANGEBYLEX writes it), how many at most.
local calls = redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], '-', 'LIMIT', 0, ARGV[2])
local found = {}
for _, id in ipairs(calls) do
    found[#found + 1] = redis.call('HGET', KEYS[2], id) or nil
end
return found

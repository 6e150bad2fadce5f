-- A user has seen their history up to a call; an earlier one than before changes nothing.
-- KEYS: seen. ARGV: the user, the call.
local before = redis.call('HGET', KEYS[1], ARGV[1])
if not before or before < ARGV[2] then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
end
return 1

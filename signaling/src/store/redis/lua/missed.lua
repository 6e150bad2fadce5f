-- How many calls a user missed after the latest one that they have seen.
-- KEYS: their missed calls, seen. ARGV: the user.
local seen = redis.call('HGET', KEYS[2], ARGV[1])
return redis.call('ZLEXCOUNT', KEYS[1], seen and '(' .. seen or '-', '+')

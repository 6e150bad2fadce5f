-- Forgets the state of a call that is over.
-- KEYS: over, the unit, under which client id it was started. ARGV: the call. Answers whether it was there.
redis.call('DEL', KEYS[2])
if redis.call('GET', KEYS[3]) == ARGV[1] then
    redis.call('DEL', KEYS[3])
end
return redis.call('ZREM', KEYS[1], ARGV[1])

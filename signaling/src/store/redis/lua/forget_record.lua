-- Forgets what a call left in everyone's history.
-- KEYS: ages, records; then the histories and missed calls of everyone in it. ARGV: the call. Answers whether it was there.
redis.call('HDEL', KEYS[2], ARGV[1])
for index = 3, #KEYS do
    redis.call('ZREM', KEYS[index], ARGV[1])
end
return redis.call('ZREM', KEYS[1], ARGV[1])

-- A record that an emptied Redis has lost stands in everyone's history again; one that is there stays as it is.
-- KEYS: records, ages; then the histories and missed calls of everyone in it. ARGV: the call, its record, when it was over.
if redis.call('HSETNX', KEYS[1], ARGV[1], ARGV[2]) == 0 then
    return 0
end
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
for index = 3, #KEYS do
    redis.call('ZADD', KEYS[index], 0, ARGV[1])
end
return 1

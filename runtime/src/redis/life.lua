-- KEYS[1]: the mark of this life; ARGV[1]: a mark for a new one. Answers the mark that stands.
local life = redis.call('GET', KEYS[1])
if not life then
    life = ARGV[1]
    redis.call('SET', KEYS[1], life)
end
return life

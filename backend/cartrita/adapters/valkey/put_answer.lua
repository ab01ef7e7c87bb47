-- Keep an answer, at least as long as the one before it; the oldest beyond the bounds leave.
-- KEYS: the answer; the answers by their end, by their age; their sizes.
-- ARGV: the answer; its milliseconds; the most answers; the most bytes of all.
local answer, by_end, by_age, sizes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local most_entries, most_bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function remove(key)
  redis.call('UNLINK', key)
  redis.call('ZREM', by_end, key)
  redis.call('ZREM', by_age, key)
  local size = redis.call('HGET', sizes, key)
  if size then
    redis.call('HDEL', sizes, key)
    redis.call('HINCRBY', sizes, 'total', -size)
  end
end

-- A server that is short of memory may have thrown an index away: begin with all of them anew.
if redis.call('EXISTS', by_age) == 0 then redis.call('DEL', by_end, sizes) end

-- Of the ended ones and the oldest only so many at a time, because all clients wait meanwhile.
for _, ended in ipairs(redis.call('ZRANGEBYSCORE', by_end, '-inf', now, 'LIMIT', 0, 1000)) do
  remove(ended)
end

local wanted_until = math.max(now + ARGV[2], redis.call('PEXPIRETIME', answer))
remove(answer)
redis.call('HSET', answer, 'stored_at', now, 'answer', ARGV[1])
redis.call('PEXPIREAT', answer, wanted_until)
redis.call('ZADD', by_end, wanted_until, answer)
redis.call('ZADD', by_age, now, answer)
redis.call('HSET', sizes, answer, #ARGV[1])
local total = redis.call('HINCRBY', sizes, 'total', #ARGV[1])

for _ = 1, 1000 do
  if redis.call('ZCARD', by_age) <= most_entries and total <= most_bytes then break end
  local oldest = redis.call('ZRANGE', by_age, 0, 0)[1]
  if not oldest then break end
  remove(oldest)
  total = tonumber(redis.call('HGET', sizes, 'total'))
end
return true

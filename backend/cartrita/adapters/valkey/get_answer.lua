-- An answer that is younger than a reader wants, which is then kept until it is that old.
-- KEYS: the answer; the answers by their end. ARGV: the age in milliseconds.
local stored_at = tonumber(redis.call('HGET', KEYS[1], 'stored_at'))
if not stored_at then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local wanted_until = stored_at + ARGV[1]
if wanted_until <= now then return false end
if redis.call('PEXPIREAT', KEYS[1], wanted_until, 'GT') == 1 then
  redis.call('ZADD', KEYS[2], wanted_until, KEYS[1])
end
return { KEYS[1], redis.call('HGET', KEYS[1], 'answer') }

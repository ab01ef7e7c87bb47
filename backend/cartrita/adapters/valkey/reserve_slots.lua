-- Reserve slots after those that are reserved; the microseconds from now to the end of the last one.
-- KEYS: the end of all that are reserved.
-- ARGV: how many; the microseconds of one; those from now before which none begins.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local due = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now + ARGV[3])
due = due + ARGV[1] * ARGV[2]
redis.call('SET', KEYS[1], string.format('%.3f', due), 'PX', math.ceil((due - now) / 1000) + 1)
return string.format('%.3f', due - now)

#include "relay/presence_scripts.hpp"

#include <cstring>

namespace rtc::relay {
namespace {

// Of those that change a room: somebody leaves; what changed is told.
const std::string kCommon = R"lua(
local people, names, more, version, changes, mine = unpack(KEYS)
local changed = {}
local function leave(id)
  local others = redis.call('HGET', more, id)
  if others == '1' then
    redis.call('HDEL', more, id)
  elseif others then
    redis.call('HINCRBY', more, id, -1)
  else
    redis.call('ZREM', people, id)
    redis.call('HDEL', names, id)
    changed[#changed + 1] = id
  end
end
local function tell(channel, kept)
  if #changed == 0 then return end
  if redis.call('EXISTS', version) == 0 then
    local now = redis.call('TIME')
    redis.call('SET', version, string.format('%s%06d', now[1], now[2]))
    redis.call('DEL', changes)
  end
  redis.call('INCRBY', version, #changed)
  for i = math.max(1, #changed - kept + 1), #changed do redis.call('RPUSH', changes, changed[i]) end
  redis.call('LTRIM', changes, -kept, -1)
  if redis.call('EXISTS', people) == 1 then
    redis.call('PERSIST', version)
    redis.call('PERSIST', changes)
  else
    redis.call('EXPIRE', version, 60)
    redis.call('EXPIRE', changes, 60)
  end
  redis.call('PUBLISH', channel, redis.call('GET', version))
end
)lua";

const std::string kChange = R"lua(
if ARGV[1] == 'open' then
  redis.call('SADD', mine, '')
elseif redis.call('SISMEMBER', mine, '') == 0 then
  return 0
end
for i = 4, #ARGV, 2 do
  local id, entry = ARGV[i], ARGV[i + 1]
  if entry == '' then
    if redis.call('SREM', mine, id) == 1 then leave(id) end
  elseif redis.call('SADD', mine, id) == 1 then
    if redis.call('ZADD', people, 0, id) == 1 then
      redis.call('HSET', names, id, entry)
      changed[#changed + 1] = id
    else
      redis.call('HINCRBY', more, id, 1)
    end
  end
end
if ARGV[1] == 'close' then
  redis.call('SREM', mine, '')
  for _, id in ipairs(redis.call('SMEMBERS', mine)) do leave(id) end
  redis.call('DEL', mine)
end
tell(ARGV[2], tonumber(ARGV[3]))
return 1
)lua";

const std::string kRemove = R"lua(
redis.call('SREM', mine, '')
for _, id in ipairs(redis.call('SPOP', mine, ARGV[3])) do leave(id) end
tell(ARGV[1], tonumber(ARGV[2]))
return redis.call('SCARD', mine)
)lua";

const std::string kRead = R"lua(
local people, names, version, changes = unpack(KEYS)
local now = redis.call('GET', version) or '0'
local missed = tonumber(now) - tonumber(ARGV[1])
local answer = {now, redis.call('ZCARD', people), 0}
if missed < 0 or missed > tonumber(ARGV[2]) or missed > redis.call('LLEN', changes) then
  return answer
end
answer[3] = 1
if missed == 0 then return answer end
for _, id in ipairs(redis.call('LRANGE', changes, -missed, -1)) do
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', names, id) or ''
end
return answer
)lua";

const std::string kPage = R"lua(
local people, names = unpack(KEYS)
local answer = {redis.call('ZCARD', people)}
for _, id in ipairs(redis.call('ZRANGEBYLEX', people, ARGV[1], '+', 'LIMIT', 0, ARGV[2])) do
  answer[#answer + 1] = id
  answer[#answer + 1] = redis.call('HGET', names, id) or ''
end
return answer
)lua";

// Of those that count the clients of a session.
const std::string kCount = R"lua(
local lives, clients, rooms = unpack(KEYS)
local function count(session, now)
  local before = tonumber(redis.call('HGET', clients, session) or 0)
  if now == before then return end
  if now == 0 then
    redis.call('HDEL', clients, session)
  else
    redis.call('HSET', clients, session, now)
  end
  if redis.call('HINCRBY', clients, '', now - before) == 0 then redis.call('DEL', clients) end
end
)lua";

const std::string kBeat = R"lua(
local session, lifetime, own = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if ARGV[4] ~= 'begin' and tonumber(redis.call('ZSCORE', lives, session) or 0) <= now then
  return 0
end
redis.call('ZADD', lives, now + lifetime, session)
count(session, own)
local dead = redis.call('ZRANGEBYSCORE', lives, '-inf', now, 'LIMIT', 0, ARGV[5])
for _, each in ipairs(dead) do count(each, 0) end
return {tonumber(redis.call('HGET', clients, '') or 0) - own, unpack(dead)}
)lua";

const std::string kForget = R"lua(
if redis.call('EXISTS', rooms) == 1 then return 0 end
count(ARGV[1], 0)
return redis.call('ZREM', lives, ARGV[1])
)lua";

}  // namespace

PresenceScripts::PresenceScripts()
    : change(kCommon + kChange),
      remove(kCommon + kRemove),
      read(kRead),
      page(kPage),
      beat(kCount + kBeat),
      forget(kCount + kForget) {}

std::optional<Uuid> uuid_of(std::string_view bytes) {
  Uuid id;
  if (bytes.size() != id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

}  // namespace rtc::relay

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

const std::string kNodes = R"lua(
local answer = {0}
for _, session in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local clients = redis.call('GET', ARGV[1] .. session)
  if not clients then
    answer[#answer + 1] = session
  elseif session ~= ARGV[2] then
    answer[1] = answer[1] + (tonumber(clients) or 0)
  end
end
return answer
)lua";

const std::string kForget = R"lua(
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('SREM', KEYS[1], ARGV[1])
)lua";

}  // namespace

PresenceScripts::PresenceScripts()
    : change(kCommon + kChange),
      remove(kCommon + kRemove),
      read(kRead),
      page(kPage),
      nodes(kNodes),
      forget(kForget) {}

std::optional<Uuid> uuid_of(std::string_view bytes) {
  Uuid id;
  if (bytes.size() != id.bytes.size()) return std::nullopt;
  std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

}  // namespace rtc::relay

#include "server/sockjs_sessions.hpp"

#include <functional>

#include "server/shard.hpp"
#include "server/sockjs_session.hpp"

namespace rtc::server {

SockJsSessions::SockJsSessions() = default;
SockJsSessions::~SockJsSessions() = default;

std::string SockJsSessions::key(const SockJsService& service, std::string_view session,
                                const net::IpAddress& client) {
  std::string key(service.base);
  return key.append("/").append(session).append("/").append(rate_key(client).to_string());
}

std::size_t SockJsSessions::owner(std::string_view key, std::size_t loops) {
  return std::hash<std::string_view>{}(key) % loops;
}

SockJsSession* SockJsSessions::find(const std::string& key) const {
  const auto found = sessions_.find(key);
  return found == sessions_.end() ? nullptr : found->second.get();
}

SockJsSession* SockJsSessions::open(Shard& shard, const SockJsService& service,
                                    const std::string& key, const net::IpAddress& client) {
  Totals& totals = shard.services().totals;
  if (!totals.admit_sockjs(client, shard.rate_exempt(client), shard.config())) return nullptr;
  auto session = std::make_unique<SockJsSession>(shard, service, key, client);
  SockJsSession* const made = session.get();
  sessions_[key] = std::move(session);
  return made;
}

// What a session carries says goodbye to others, and may be handed the last of what they sent: so
// it goes first.
void SockJsSessions::erase(SockJsSession& session) {
  session.application_.reset();
  if (session.dirty_) std::erase(dirty_, &session);
  const auto found = sessions_.find(session.key());
  const auto erased = std::move(found->second);
  sessions_.erase(found);
  // It is no longer to be found by the request that may follow on that connection.
  erased->answer_sender();
}

void SockJsSessions::clear() {
  for (const auto& [key, session] : sessions_) session->application_.reset();
  dirty_.clear();
  sessions_.clear();
}

void SockJsSessions::flush() {
  // One that is flushed may make another one need it: by the next request on its connection.
  while (!dirty_.empty()) {
    SockJsSession* const session = dirty_.back();
    dirty_.pop_back();
    session->dirty_ = false;
    session->flush();
  }
}

}  // namespace rtc::server

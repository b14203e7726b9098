// The SockJS sessions of one loop, by key. The loop's thread only, except where it says so.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/address.hpp"
#include "server/sockjs_service.hpp"

namespace rtc::server {

class Shard;
class SockJsSession;

class SockJsSessions {
 public:
  SockJsSessions();
  ~SockJsSessions();

  // A session's key: its service's base, its id and whose it is (ADR 12); the server part of its
  // path does not count.
  static std::string key(const SockJsService& service, std::string_view session,
                         const net::IpAddress& client);
  // Which of `loops` loops it belongs to. Any thread.
  static std::size_t owner(std::string_view key, std::size_t loops);

  SockJsSession* find(const std::string& key) const;
  // A new one; null beyond sockjs_sessions_max or, of that address,
  // sockjs_sessions_per_address_max.
  SockJsSession* open(Shard& shard, const SockJsService& service, const std::string& key,
                      const net::IpAddress& client);
  void erase(SockJsSession& session);
  void clear();

  // Flushes those that asked for it. Once a turn.
  void need_flush(SockJsSession& session) { dirty_.push_back(&session); }
  void flush();

 private:
  std::unordered_map<std::string, std::unique_ptr<SockJsSession>> sessions_;
  std::vector<SockJsSession*> dirty_;
};

}  // namespace rtc::server

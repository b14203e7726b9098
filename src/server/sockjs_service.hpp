// A SockJS end point: what lies below one base path. Made at the start, then read by any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/config.hpp"
#include "server/application.hpp"

namespace rtc::server {

struct SockJsService {
  std::string_view base;  // "/connect"
  Carries carries = Carries::stomp;
  std::size_t response_bytes_max = 0;  // a streamed answer ends after so many
  bool websocket = true;
  bool cookie = false;      // answers set JSESSIONID, by which a balancer may keep clients apart
  bool any_origin = false;  // the conformance profile's: pages of every origin are let in
};

// Those of the chat, and the conformance profile's when that is on.
std::vector<SockJsService> sockjs_services(const Config& config);

// The service whose base `path` begins with, and what follows it: "" or "/…".
std::optional<std::pair<const SockJsService*, std::string_view>> find_sockjs(
    const std::vector<SockJsService>& services, std::string_view path);

}  // namespace rtc::server

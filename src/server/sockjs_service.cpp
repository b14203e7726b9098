#include "server/sockjs_service.hpp"

#include "server/conformance.hpp"

namespace rtc::server {

std::vector<SockJsService> sockjs_services(const Config& config) {
  std::vector<SockJsService> services;
  for (const std::string_view base : {"/connect", "/chat"}) {
    SockJsService service;
    service.base = base;
    service.response_bytes_max = config.sockjs_response_bytes_max;
    service.cookie = config.sockjs_cookie;
    services.push_back(service);
  }
  if (config.conformance) {
    for (const SockJsService& service : sockjs_conformance_services()) services.push_back(service);
  }
  return services;
}

std::optional<std::pair<const SockJsService*, std::string_view>> find_sockjs(
    const std::vector<SockJsService>& services, std::string_view path) {
  for (const SockJsService& service : services) {
    if (!path.starts_with(service.base)) continue;
    const std::string_view rest = path.substr(service.base.size());
    if (rest.empty() || rest.front() == '/') return std::pair{&service, rest};
  }
  return std::nullopt;
}

}  // namespace rtc::server

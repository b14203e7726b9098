#include "server/conformance.hpp"

#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

constexpr std::size_t kTestedResponseBytes = 4096;
constexpr std::uint16_t kGoAway = 3000;

SockJsService tested_service(std::string_view base, Carries carries) {
  SockJsService service;
  service.base = base;
  service.carries = carries;
  service.response_bytes_max = kTestedResponseBytes;
  service.any_origin = true;
  return service;
}

}  // namespace

void EchoApplication::on_message_end() {
  std::string framed;
  append_framed(framed, output_.framing(), message_);
  message_.clear();
  output_.send(framed);
}

void EchoApplication::end_slow() {
  output_.close(websocket::kClosePolicyViolation, "you read too slowly");
}

void ClosingApplication::on_open() {
  output_.close(kGoAway, "Go away!");
}

std::vector<SockJsService> sockjs_conformance_services() {
  std::vector<SockJsService> services{tested_service("/echo", Carries::echo),
                                      tested_service("/disabled_websocket_echo", Carries::echo),
                                      tested_service("/cookie_needed_echo", Carries::echo),
                                      tested_service("/close", Carries::close)};
  services[1].websocket = false;
  services[2].cookie = true;
  return services;
}

}  // namespace rtc::server

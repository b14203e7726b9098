// The conformance profile's answer to the handshake of draft-hixie-thewebsocketprotocol-76 (2010),
// which sockjs-protocol still asks for: test_haproxy, that the answer's head comes before the last
// eight bytes of the request. No client of today speaks that draft: nothing but its handshake is
// here, and the connection ends after it. The loop's thread only.
#pragma once

#include <string>

#include "http/request_parser.hpp"
#include "net/connection.hpp"

namespace rtc::server {

class Totals;

class Hixie76Handshake final : public net::ConnectionHandler {
 public:
  // Whether the request is one of that draft.
  static bool asked(const http::Request& request);

  // Sends the answer's head at once. `exempt`: counted as such in `totals`.
  Hixie76Handshake(net::Connection& connection, const http::Request& request, Totals& totals,
                   bool exempt);

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;

 private:
  std::string challenge_;  // the two keys' numbers, then the eight bytes
  Totals& totals_;
  bool exempt_;
};

}  // namespace rtc::server

// HTTP/1.1 responses out: a value and its bytes.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rtc::http {

struct Response {
  unsigned status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // besides those serialize() adds
  std::string content_type;                                  // "" when there is no body
  std::string body;

  // An answer without a body of its own, such as 304, must not carry a length.
  bool has_body() const { return status >= 200 && status != 204 && status != 304; }
};

struct Framing {
  bool keep_alive = true;
  bool head = false;  // answer to HEAD: the headers of GET, without the body
};

// Status line, Date, Content-Length, Connection, X-Content-Type-Options, Referrer-Policy, the
// response's own headers, body. Header values must hold no line end.
std::string serialize(const Response& response, const Framing& framing);

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace rtc::http

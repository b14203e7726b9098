// HTTP/1.1 responses out: a value and its bytes.
#pragma once

#include <cstdint>
#include <ctime>
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

// How much of the body serialize() writes, and how its end shows.
enum class Body : std::uint8_t {
  whole,
  none,         // answer to HEAD: the headers of GET
  chunked,      // piece by piece, each by chunk(), then kLastChunk
  until_close,  // the same to HTTP/1.0, which knows no chunks: the connection's end is the body's
};

struct Framing {
  bool keep_alive = true;
  Body body = Body::whole;
};

// Status line, Date, Content-Length or Transfer-Encoding, Connection, X-Content-Type-Options,
// Referrer-Policy, the response's own headers, body. Header values must hold no line end.
std::string serialize(const Response& response, const Framing& framing);

// A piece of a chunked body (RFC 9112, section 7.1); `piece` is not empty.
std::string chunk(std::string_view piece);
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

// A date as headers have it (RFC 9110, section 5.6.7).
std::string http_date(std::time_t time);

inline constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace rtc::http

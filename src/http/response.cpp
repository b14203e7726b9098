#include "http/response.hpp"

#include <array>
#include <boost/beast/http/status.hpp>
#include <ctime>
#include <fmt/core.h>
#include <ostream>

namespace rtc::http {

// The names are fixed English, whatever the locale.
std::string http_date(std::time_t now) {
  static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm utc{};
  gmtime_r(&now, &utc);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                     kMonths[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                     utc.tm_min, utc.tm_sec);
}

std::string serialize(const Response& response, const Framing& framing) {
  const auto reason =
      boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(response.status));
  std::string out =
      fmt::format("HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                  std::string_view(reason.data(), reason.size()), http_date(std::time(nullptr)));
  if (response.has_body()) {
    if (framing.body == Body::chunked) {
      out += "Transfer-Encoding: chunked\r\n";
    } else if (framing.body != Body::until_close) {
      out += fmt::format("Content-Length: {}\r\n", response.body.size());
    }
    if (!response.content_type.empty()) {
      out += fmt::format("Content-Type: {}\r\n", response.content_type);
    }
  }
  if (response.status != 101) {
    out += framing.keep_alive ? "Connection: keep-alive\r\n" : "Connection: close\r\n";
    out += "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n";
  }
  for (const auto& [name, value] : response.headers) out += fmt::format("{}: {}\r\n", name, value);
  out += "\r\n";
  if (framing.body == Body::whole && response.has_body()) out += response.body;
  return out;
}

std::string chunk(std::string_view piece) {
  return fmt::format("{:x}\r\n{}\r\n", piece.size(), piece);
}

}  // namespace rtc::http

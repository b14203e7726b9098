// HTTP/1.1 requests in (RFC 9112), through Boost.Beast's parser fed with bytes: no socket.
// Only while a connection speaks HTTP does it hold one of these; the loop's thread only.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace rtc::http {

struct RequestLimits {
  std::size_t target_bytes_max = 4 << 10;  // else 414
  // Request line and header block, else 431; a chunk's line and the trailers, each, too.
  std::size_t header_bytes_max = 16 << 10;
  std::size_t body_bytes_max = 64 << 10;  // else 413, judged by Content-Length before it comes
  // Some targets take longer bodies: at least body_bytes_max; null: none does.
  std::size_t long_body_bytes_max = 0;
  bool (*takes_long_body)(std::string_view target) = nullptr;
};

class Request {
 public:
  std::string method;  // as sent; methods are case-sensitive
  std::string target;  // as sent
  // Percent-decoded. "" when the target is malformed, or neither a path nor an http(s) address
  // (RFC 9112, 3.2); of an address, its authority has replaced the header Host.
  std::string path;
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order
  unsigned version = 11;                                   // 10 or 11
  bool keep_alive = true;
  // Names as sent. What a chunked body's trailers say does not count.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The header's value; several of one name joined by ", "; "" when absent. Any case.
  std::string header(std::string_view name) const;
  // The first query parameter of that name.
  std::optional<std::string_view> parameter(std::string_view name) const;
};

class RequestParser {
 public:
  enum class Step {
    need_more,
    expects_continue,  // the client waits for `100 Continue` before it sends its body
    request,           // request() is whole
    error,             // answer with error_status() and close: what follows cannot be trusted
  };

  explicit RequestParser(const RequestLimits& limits);
  ~RequestParser();

  // Takes bytes from the front of `input`; never more than one request. After `request`, call
  // restart() before the next.
  Step next(std::span<const char>& input);
  // Whether a request has begun and is not whole.
  bool in_request() const;
  Request take_request();
  // Of a request that failed or has not come whole: method, version and headers, when those have.
  Request take_head();
  void restart();

  unsigned error_status() const { return error_status_; }  // 400, 413, 414, 431, 501, 505
  const std::string& error_text() const { return error_text_; }

 private:
  struct State;
  Step fail(unsigned status, std::string text);
  Step fail_by_size(unsigned status, std::string_view what, std::size_t bytes_max);
  Step check_head(std::string_view bytes);
  Step check_body();
  std::size_t body_bytes_max() const;  // of this request, whose head is whole

  RequestLimits limits_;
  std::unique_ptr<State> state_;
  unsigned error_status_ = 0;
  std::string error_text_;
};

}  // namespace rtc::http

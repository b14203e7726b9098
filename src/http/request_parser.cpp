#include "http/request_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace rtc::http {
namespace {

namespace beast_http = boost::beast::http;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// The last chunk without anything: Boost 1.81's parser asserts that it is never given less of it.
constexpr std::size_t kLastChunkBytes = 5;

// RFC 9112, section 2.2: clients that send an empty line before a request, or behind the last one's
// body, are borne with; but not for ever.
constexpr std::string_view kEmptyLine = "\r\n";
constexpr std::size_t kEmptyLineBytesMax = 4;

// Of a request line that may be incomplete: its n-th word, as far as it came.
std::string_view word(std::string_view line, int n) {
  line = line.substr(0, line.find('\n'));
  for (; n > 0 && !line.empty(); --n) {
    line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  }
  return line.substr(0, line.find(' '));
}

// Whether a line of the head ends in LF only; `checked` bytes of it were looked at before. Beast
// would wait for a CR LF until the time is up. An empty line ends the head; where the parser has
// taken the lines before it (`begun`), it may be the first.
bool has_bare_line_feed(std::string_view bytes, std::size_t checked, bool begun) {
  const auto end = begun && bytes.starts_with(kEmptyLine)
                       ? 0
                       : bytes.find("\r\n\r\n", checked > 3 ? checked - 3 : 0);
  const std::string_view head = bytes.substr(0, end);
  for (auto at = head.find('\n', checked); at != head.npos; at = head.find('\n', at + 1)) {
    if (at == 0 || head[at - 1] != '\r') return true;
  }
  return false;
}

// `http://host/path?query` (RFC 9112, section 3.2.2) understood into `request`.
void take_absolute_form(Request& request) {
  const auto url = boost::urls::parse_absolute_uri(request.target);
  if (!url || url->has_userinfo() || url->encoded_host().empty()) return;
  if (url->scheme_id() != boost::urls::scheme::http &&
      url->scheme_id() != boost::urls::scheme::https) {
    return;
  }
  const std::string path = url->encoded_path().empty() ? "/" : url->path();
  if (path.front() != '/') return;  // Boost.URL 1.81 takes "http://host:name" for a host and a path
  request.path = path;
  for (const auto& parameter : url->params()) {
    request.query.emplace_back(parameter.key, parameter.value);
  }
  const std::string authority(view(url->encoded_host_and_port()));
  for (auto& [name, value] : request.headers) {
    if (boost::beast::iequals(name, "Host")) value = authority;
  }
}

}  // namespace

std::string Request::header(std::string_view name) const {
  std::string value;
  bool found = false;
  for (const auto& [each, text] : headers) {
    if (!boost::beast::iequals({each.data(), each.size()}, {name.data(), name.size()})) continue;
    if (found) value += ", ";
    value += text;
    found = true;
  }
  return value;
}

std::optional<std::string_view> Request::parameter(std::string_view name) const {
  for (const auto& [each, value] : query) {
    if (each == name) return value;
  }
  return std::nullopt;
}

struct RequestParser::State {
  explicit State(const RequestLimits& limits) {
    parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    parser.body_limit(std::max(limits.body_bytes_max, limits.long_body_bytes_max));
  }
  beast_http::request_parser<beast_http::string_body> parser;  // not eager: one element a call
  std::string kept;         // bytes that the parser could not take yet
  std::size_t element = 0;  // bytes of the head, or of the last chunk's line, or of the trailers
  Request request;          // all but the body, once the head is whole; trailers do not count
  bool continue_asked = false;
  std::size_t empty_line_bytes = 0;  // skipped

  // Of empty lines before the request: how many bytes at the front of `bytes` they are.
  std::size_t skip_empty_lines(std::string_view bytes) {
    std::size_t skipped = 0;
    while (empty_line_bytes < kEmptyLineBytesMax && bytes.substr(skipped).starts_with(kEmptyLine)) {
      skipped += kEmptyLine.size();
      empty_line_bytes += kEmptyLine.size();
    }
    return skipped;
  }
  // Half an empty line: what it is shows with the next byte.
  bool may_be_empty_line(std::string_view bytes) const {
    return empty_line_bytes < kEmptyLineBytesMax && bytes == kEmptyLine.substr(0, 1);
  }
  void take_head() {
    const auto& message = parser.get();
    request.method = view(message.method_string());
    request.target = view(message.target());
    request.version = message.version();
    request.keep_alive = message.keep_alive();
    for (const auto& field : message) {
      request.headers.emplace_back(view(field.name_string()), view(field.value()));
    }
  }
};

RequestParser::RequestParser(const RequestLimits& limits)
    : limits_(limits), state_(std::make_unique<State>(limits)) {}
RequestParser::~RequestParser() = default;

void RequestParser::restart() {
  state_ = std::make_unique<State>(limits_);
}

bool RequestParser::in_request() const {
  return !state_->kept.empty() || state_->parser.got_some();
}

RequestParser::Step RequestParser::fail(unsigned status, std::string text) {
  error_status_ = status;
  error_text_ = std::move(text);
  return Step::error;
}

RequestParser::Step RequestParser::fail_by_size(unsigned status, std::string_view what,
                                                std::size_t bytes_max) {
  return fail(status, "the request's " + std::string(what) + " longer than " +
                          std::to_string(bytes_max) + " bytes");
}

// The head as far as it came; `bytes` are those behind what the parser took of it.
RequestParser::Step RequestParser::check_head(std::string_view bytes) {
  State& state = *state_;
  const auto& message = state.parser.get();
  const std::string_view taken_target = view(message.target());
  const std::string_view target = taken_target.empty() ? word(bytes, 1) : taken_target;
  if (target.size() > limits_.target_bytes_max) {
    return fail_by_size(414, "target is", limits_.target_bytes_max);
  }
  if (!state.parser.is_header_done()) return Step::need_more;
  state.take_head();
  if (message.count(beast_http::field::host) > 1) return fail(400, "more than one header Host");
  if (const auto codings = message.count(beast_http::field::transfer_encoding); codings > 0) {
    if (message.version() == 10) return fail(400, "HTTP/1.0 knows no Transfer-Encoding");
    const auto coding = message[beast_http::field::transfer_encoding];
    if (codings > 1 || !boost::beast::iequals(coding, "chunked")) {
      return fail(501, "no Transfer-Encoding but chunked is understood");
    }
  }
  return check_body();
}

std::size_t RequestParser::body_bytes_max() const {
  const bool long_body = limits_.takes_long_body != nullptr &&
                         limits_.takes_long_body(view(state_->parser.get().target()));
  return long_body ? limits_.long_body_bytes_max : limits_.body_bytes_max;
}

// Beast's own limit is that of the longest body that any target takes.
RequestParser::Step RequestParser::check_body() {
  const auto announced = state_->parser.content_length();
  const std::uint64_t bytes = announced ? *announced : state_->parser.get().body().size();
  if (bytes > limits_.body_bytes_max && bytes > body_bytes_max()) {
    return fail_by_size(413, "body is", body_bytes_max());
  }
  return Step::need_more;
}

RequestParser::Step RequestParser::next(std::span<const char>& input) {
  if (error_status_ != 0) return Step::error;
  State& state = *state_;
  const std::size_t kept_before = state.kept.size();
  // The parser wants a header block in one piece: join what it left with what came.
  std::string joined;
  std::string_view bytes{input.data(), input.size()};
  if (kept_before > 0) {
    joined = std::move(state.kept);
    joined.append(bytes);
    bytes = joined;
  }
  state.kept.clear();

  const bool begins = !state.parser.got_some();
  std::size_t used = begins ? state.skip_empty_lines(bytes) : 0;
  if (!state.parser.is_header_done() &&
      has_bare_line_feed(bytes.substr(used), begins ? 0 : kept_before, !begins)) {
    return fail(400, "not a well-formed HTTP request: a line ends without CR LF");
  }
  while (!state.parser.is_done() && used < bytes.size()) {
    const bool in_head = !state.parser.is_header_done();
    const std::string_view rest = bytes.substr(used);
    if (in_head && state.may_be_empty_line(rest)) break;
    if (!in_head && state.parser.chunked() && rest.size() < kLastChunkBytes) break;
    const std::size_t body_before = state.parser.get().body().size();
    boost::beast::error_code problem;
    const std::size_t taken =
        state.parser.put(boost::asio::const_buffer(rest.data(), rest.size()), problem);
    used += taken;
    const std::size_t body_taken = state.parser.get().body().size() - body_before;
    state.element = (in_head ? state.element : 0) + taken - body_taken;
    if (problem == beast_http::error::header_limit || state.element > limits_.header_bytes_max) {
      return fail_by_size(431, "headers are", limits_.header_bytes_max);
    }
    if (problem == beast_http::error::body_limit) {
      if (in_head) state.take_head();  // by its Content-Length: nothing of the body came
      return fail_by_size(413, "body is", body_bytes_max());
    }
    if (problem == beast_http::error::bad_version && word(rest, 2).starts_with("HTTP/")) {
      return fail(505, "only HTTP/1.0 and HTTP/1.1");
    }
    if (problem && problem != beast_http::error::need_more) {
      return fail(400, "not a well-formed HTTP request: " + problem.message());
    }
    const Step checked = in_head ? check_head(bytes.substr(used)) : check_body();
    if (checked == Step::error) return Step::error;
    if (problem) break;
  }

  if (state.parser.is_done()) {
    input = input.subspan(used - kept_before);
    return Step::request;
  }
  state.kept.assign(bytes.substr(used));
  input = {};
  const bool header_done = state.parser.is_header_done();
  if (state.kept.size() + (header_done ? 0 : state.element) > limits_.header_bytes_max) {
    return fail_by_size(431, "headers are", limits_.header_bytes_max);
  }
  if (header_done && !state.continue_asked &&
      boost::beast::iequals(state.parser.get()[beast_http::field::expect], "100-continue")) {
    state.continue_asked = true;
    return Step::expects_continue;
  }
  return Step::need_more;
}

Request RequestParser::take_request() {
  Request request = std::move(state_->request);
  request.body = std::move(state_->parser.get().body());
  if (!request.target.starts_with('/')) {
    take_absolute_form(request);
  } else if (const auto url = boost::urls::parse_origin_form(request.target)) {
    request.path = url->path();
    for (const auto& parameter : url->params()) {
      request.query.emplace_back(parameter.key, parameter.value);
    }
  }
  return request;
}

Request RequestParser::take_head() {
  return std::move(state_->request);
}

}  // namespace rtc::http

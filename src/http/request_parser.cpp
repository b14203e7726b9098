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

// Of a request line that may be incomplete: its n-th word, as far as it came.
std::string_view word(std::string_view line, int n) {
  line = line.substr(0, line.find('\n'));
  for (; n > 0 && !line.empty(); --n) {
    line.remove_prefix(std::min(line.find(' '), line.size() - 1) + 1);
  }
  return line.substr(0, line.find(' '));
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
    parser.body_limit(limits.body_bytes_max);
  }
  beast_http::request_parser<beast_http::string_body> parser;  // not eager: one element a call
  std::string kept;         // bytes that the parser could not take yet
  std::size_t element = 0;  // bytes of the head, or of the last chunk's line, or of the trailers
  Request request;          // all but the body, once the head is whole; trailers do not count
  bool continue_asked = false;
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

  if (const auto codings = message.count(beast_http::field::transfer_encoding); codings > 0) {
    if (message.version() == 10) return fail(400, "HTTP/1.0 knows no Transfer-Encoding");
    const auto coding = message[beast_http::field::transfer_encoding];
    if (codings > 1 || !boost::beast::iequals(coding, "chunked")) {
      return fail(501, "no Transfer-Encoding but chunked is understood");
    }
  }
  Request& request = state.request;
  request.method = view(message.method_string());
  request.target = taken_target;
  request.version = message.version();
  request.keep_alive = message.keep_alive();
  for (const auto& field : message) {
    request.headers.emplace_back(view(field.name_string()), view(field.value()));
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

  std::size_t used = 0;
  while (!state.parser.is_done() && used < bytes.size()) {
    const bool in_head = !state.parser.is_header_done();
    const std::string_view rest = bytes.substr(used);
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
      return fail_by_size(413, "body is", limits_.body_bytes_max);
    }
    if (problem == beast_http::error::bad_version && word(rest, 2).starts_with("HTTP/")) {
      return fail(505, "only HTTP/1.0 and HTTP/1.1");
    }
    if (problem && problem != beast_http::error::need_more) {
      return fail(400, "not a well-formed HTTP request: " + problem.message());
    }
    if (in_head && check_head(bytes.substr(used)) == Step::error) return Step::error;
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
  if (const auto url = boost::urls::parse_origin_form(request.target)) {
    request.path = url->path();
    for (const auto& parameter : url->params()) {
      request.query.emplace_back(parameter.key, parameter.value);
    }
  }
  return request;
}

}  // namespace rtc::http

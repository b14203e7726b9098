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
    parser.eager(true);
  }
  beast_http::request_parser<beast_http::string_body> parser;
  std::string kept;  // bytes that the parser could not take yet
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
  boost::beast::error_code problem;
  while (!state.parser.is_done() && used < bytes.size()) {
    used += state.parser.put(boost::asio::const_buffer(bytes.data() + used, bytes.size() - used),
                             problem);
    if (problem == beast_http::error::need_more) {
      problem = {};
      break;
    }
    if (problem) break;
  }

  if (problem == beast_http::error::header_limit) {
    return fail(431, "the request's headers are longer than " +
                         std::to_string(limits_.header_bytes_max) + " bytes");
  }
  if (problem == beast_http::error::body_limit) {
    return fail(413, "the request's body is longer than " + std::to_string(limits_.body_bytes_max) +
                         " bytes");
  }
  if (problem == beast_http::error::bad_version &&
      bytes.substr(0, bytes.find('\n')).find(" HTTP/") != std::string_view::npos) {
    return fail(505, "only HTTP/1.0 and HTTP/1.1");
  }
  if (problem) return fail(400, "not a well-formed HTTP request: " + problem.message());

  const bool header_done = state.parser.is_header_done();
  if (!header_done) {
    const std::string_view line = bytes.substr(0, bytes.find('\n'));
    if (line.size() > limits_.target_bytes_max + 32) {
      return fail(414, "the request's target is longer than " +
                           std::to_string(limits_.target_bytes_max) + " bytes");
    }
  } else if (state.parser.get().target().size() > limits_.target_bytes_max) {
    return fail(414, "the request's target is longer than " +
                         std::to_string(limits_.target_bytes_max) + " bytes");
  }

  if (state.parser.is_done()) {
    input = input.subspan(used - kept_before);
    return Step::request;
  }
  state.kept.assign(bytes.substr(used));
  input = {};
  if (header_done && !state.continue_asked &&
      boost::beast::iequals(state.parser.get()[beast_http::field::expect], "100-continue")) {
    state.continue_asked = true;
    return Step::expects_continue;
  }
  return Step::need_more;
}

Request RequestParser::take_request() {
  auto& message = state_->parser.get();
  Request request;
  request.method = view(message.method_string());
  request.target = view(message.target());
  request.version = message.version();
  request.keep_alive = message.keep_alive();
  request.body = std::move(message.body());
  for (const auto& field : message) {
    request.headers.emplace_back(view(field.name_string()), view(field.value()));
  }
  if (const auto url = boost::urls::parse_origin_form(request.target)) {
    request.path = url->path();
    for (const auto& parameter : url->params()) {
      request.query.emplace_back(parameter.key, parameter.value);
    }
  }
  return request;
}

}  // namespace rtc::http

// Any bytes, however cut, give the same requests, and none beyond the limits.
// Input: one byte that chooses the size of the pieces, then the stream.
#include <cstdint>

#include "require.hpp"
#include "unit/http/requests.hpp"

namespace {

using rtc::fuzz::require;
using rtc::http::RequestLimits;
using rtc::http::RequestParser;

constexpr RequestLimits kLimits{
    .target_bytes_max = 60, .header_bytes_max = 300, .body_bytes_max = 50};

void check_whole(std::string_view stream) {
  RequestParser parser(kLimits);
  std::span<const char> input(stream);
  while (!input.empty()) {
    const std::size_t before = input.size();
    const RequestParser::Step step = parser.next(input);
    require(input.size() <= before, "bytes are only taken");
    if (step == RequestParser::Step::error) {
      require(parser.error_status() >= 400 && parser.error_status() <= 505, "errors have a status");
      require(!parser.error_text().empty(), "errors tell");
      return;
    }
    if (step != RequestParser::Step::request) {
      require(input.empty(), "all input is used up");
      continue;
    }
    require(input.size() < before, "a request takes bytes");
    const rtc::http::Request request = parser.take_request();
    require(!request.method.empty(), "a request has a method");
    require(request.target.size() <= kLimits.target_bytes_max, "a target is within the limit");
    require(request.body.size() <= kLimits.body_bytes_max, "a body is within the limit");
    require(request.version == 10 || request.version == 11, "two versions are spoken");
    require(request.path.empty() || request.path.front() == '/', "a path begins with a slash");
    require(!(request.header("Content-Length") != "" && request.header("Transfer-Encoding") != ""),
            "a body has one end");
    parser.restart();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::size_t piece_bytes = 1U + data[0] % 64U;
  const std::string stream(data + 1, data + size);
  check_whole(stream);
  require(rtc::http::test::parse({stream}, kLimits) ==
              rtc::http::test::parse(rtc::http::test::cut(stream, piece_bytes), kLimits),
          "every cut gives the same requests");
  return 0;
}

// Any bytes, however cut, give the same events, none beyond the limits, and what was read can be
// written and read again.
// Input: one byte for the version, one that chooses the size of the pieces, then the stream.
#include "base/utf8.hpp"
#include "require.hpp"
#include "stomp/parser.hpp"
#include "stomp/writer.hpp"
#include "unit/stomp/recorder.hpp"

namespace {

using rtc::fuzz::require;
using rtc::stomp::Event;
using rtc::stomp::Frame;
using rtc::stomp::Header;
using rtc::stomp::Parser;
using rtc::stomp::ParserLimits;
using rtc::stomp::Version;

constexpr ParserLimits kLimits{.headers_max = 5, .header_bytes_max = 120, .body_bytes_max = 60};
constexpr ParserLimits kWide{};

void check_limits(const Frame& frame, std::optional<Version> version) {
  require(frame.headers.size() <= kLimits.headers_max, "headers are within the limit");
  require(frame.body.size() <= kLimits.body_bytes_max, "a body is within the limit");
  require(frame.body.empty() || may_have_body(frame.command) || version == Version::v1_0,
          "only some frames have a body");
  std::size_t head_bytes = 0;
  for (const Header& header : frame.headers) {
    require(!header.name.empty(), "headers have names");
    require(rtc::is_utf8(header.name) && rtc::is_utf8(header.value), "headers are UTF-8");
    require(frame.find(header.name).has_value(), "headers are found");
    head_bytes += header.name.size() + header.value.size() + 2;
  }
  require(head_bytes <= kLimits.header_bytes_max, "the head is within the limit");
}

void check_round_trip(const Frame& frame, Version version) {
  std::string written;
  rtc::stomp::Writer writer(written, frame.command, version);
  for (const Header& header : frame.headers) writer.header(header.name, header.value);
  writer.end(frame.body);

  Parser parser;
  parser.set_version(version);
  std::string_view input = written;
  const Event again = parser.next(input, kWide);
  require(again.kind == Event::Kind::frame && input.empty(), "a written frame is read");
  Frame expected = frame;
  std::vector<Header> headers(frame.headers.begin(), frame.headers.end());
  const std::string length = std::to_string(frame.body.size());
  if (!frame.body.empty()) headers.push_back({"content-length", length});
  expected.headers = headers;
  require(rtc::stomp::test::describe(again.frame) == rtc::stomp::test::describe(expected),
          "a written frame is the same when read");
}

void check_whole(std::string_view stream, std::optional<Version> version) {
  Parser parser;
  if (version) parser.set_version(*version);
  bool ended = false;
  while (true) {
    const Event event = parser.next(stream, kLimits);
    if (event.kind == Event::Kind::need_more) break;
    require(!ended, "nothing comes after an error");
    ended = event.kind == Event::Kind::error;
    if (ended) {
      require(!event.reason.empty(), "errors tell");
      for (const Header& header : event.frame.headers) {
        require(rtc::is_utf8(header.name) && rtc::is_utf8(header.value), "headers are UTF-8");
      }
    }
    if (event.kind != Event::Kind::frame) continue;
    check_limits(event.frame, version);
    // Where nothing is escaped, a CR in a header cannot be written.
    if (version && !opens_session(event.frame.command) && *version != Version::v1_0) {
      check_round_trip(event.frame, *version);
    }
  }
  require(stream.empty(), "all input is used up");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::optional<Version> version;
  if (data[0] % 4 != 3) version = static_cast<Version>(data[0] % 4);
  const std::size_t piece_bytes = 1U + data[1] % 32U;
  const std::string stream(data + 2, data + size);
  check_whole(stream, version);
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < stream.size(); at += piece_bytes) {
    pieces.push_back(stream.substr(at, piece_bytes));
  }
  require(rtc::stomp::test::parse({stream}, version, kLimits) ==
              rtc::stomp::test::parse(pieces, version, kLimits),
          "every cut gives the same events");
  return 0;
}

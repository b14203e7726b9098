// What the STOMP tests share: a parser's events written down, so that two runs over the same bytes
// can be compared however the bytes were cut.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stomp/parser.hpp"

namespace rtc::stomp::test {

using Log = std::vector<std::string>;

// "SEND(name=value,name=value)body"
inline std::string describe(const Frame& frame) {
  std::string line(to_string(frame.command));
  line += '(';
  for (const Header& header : frame.headers) {
    if (line.back() != '(') line += ',';
    line.append(header.name).append("=").append(header.value);
  }
  return line.append(")").append(frame.body);
}

// One line an event: a frame as above, "beat" (neighbours are one, since they depend on the cut),
// "error: …", "too large: …".
class Recorder {
 public:
  Recorder(const ParserLimits& limits, std::optional<Version> version) : limits_(limits) {
    if (version) parser_.set_version(*version);
  }

  void feed(std::string_view bytes) {
    // A copy of its own, so that the sanitizer sees a view kept for too long.
    const auto copy = std::make_unique<char[]>(bytes.size());
    bytes.copy(copy.get(), bytes.size());
    std::string_view input(copy.get(), bytes.size());
    while (true) {
      const Event event = parser_.next(input, limits_);
      if (event.kind == Event::Kind::need_more) break;
      record(event);
    }
    if (!input.empty()) log_.emplace_back("input left over");
  }
  const Log& log() const { return log_; }

 private:
  void record(const Event& event) {
    switch (event.kind) {
      case Event::Kind::need_more:
        break;
      case Event::Kind::frame:
        log_.push_back(describe(event.frame));
        break;
      case Event::Kind::heart_beat:
        if (log_.empty() || log_.back() != "beat") log_.emplace_back("beat");
        break;
      case Event::Kind::error:
        log_.push_back((event.too_large ? "too large: " : "error: ") + std::string(event.reason));
        break;
    }
  }

  const ParserLimits& limits_;
  Parser parser_;
  Log log_;
};

inline Log parse(const std::vector<std::string>& pieces, std::optional<Version> version,
                 const ParserLimits& limits) {
  Recorder recorder(limits, version);
  for (const std::string& piece : pieces) recorder.feed(piece);
  return recorder.log();
}

}  // namespace rtc::stomp::test

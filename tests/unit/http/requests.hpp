// What the tests and the fuzz target of http share: a parser's steps written down, so that two runs
// over the same bytes can be compared however the bytes were cut.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/request_parser.hpp"

namespace rtc::http::test {

inline std::string describe(const Request& request) {
  std::string line = request.method + " " + request.target + " path=" + request.path;
  for (const auto& [name, value] : request.query) line += " ?" + name + "=" + value;
  line += request.version == 10 ? " 1.0" : request.version == 11 ? " 1.1" : " neither";
  line += request.keep_alive ? " keep" : " close";
  for (const auto& [name, value] : request.headers) line += " [" + name + ": " + value + "]";
  return line + " " + request.body;
}

struct Outcome {
  std::vector<std::string> requests;
  unsigned error_status = 0;
  std::string error_text;
  bool whole = true;  // no request is begun

  bool ended_well() const { return error_status == 0 && whole; }
  // What is wrong with a request that is not whole may be told early or late, by the cut.
  bool operator==(const Outcome& other) const {
    return requests == other.requests && ended_well() == other.ended_well();
  }
};

// Feeds the pieces one after the other, each from memory of its own.
inline Outcome parse(const std::vector<std::string>& pieces, const RequestLimits& limits = {}) {
  RequestParser parser(limits);
  Outcome outcome;
  for (const std::string& piece : pieces) {
    const auto copy = std::make_unique<char[]>(piece.size());
    piece.copy(copy.get(), piece.size());
    std::span<const char> input(copy.get(), piece.size());
    while (!input.empty() && outcome.error_status == 0) {
      const RequestParser::Step step = parser.next(input);
      if (step == RequestParser::Step::request) {
        outcome.requests.push_back(describe(parser.take_request()));
        parser.restart();
      } else if (step == RequestParser::Step::error) {
        outcome.error_status = parser.error_status();
        outcome.error_text = parser.error_text();
      }
    }
  }
  outcome.whole = outcome.error_status != 0 || !parser.in_request();
  return outcome;
}

inline std::vector<std::string> cut(std::string_view text, std::size_t piece_bytes) {
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += piece_bytes) {
    pieces.emplace_back(text.substr(at, piece_bytes));
  }
  return pieces;
}

}  // namespace rtc::http::test

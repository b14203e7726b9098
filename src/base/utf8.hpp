// Incremental UTF-8 validation (RFC 3629): any split of the bytes gives the same verdict.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace rtc {

class Utf8Validator {
 public:
  // False as soon as the bytes so far cannot begin a valid text (overlong forms, surrogates and
  // values above U+10FFFF included); stays false until reset().
  bool feed(std::string_view bytes);
  // True when no character is left incomplete.
  bool complete() const { return !failed_ && pending_ == 0; }
  void reset() { *this = {}; }

 private:
  std::uint8_t pending_ = 0;  // continuation bytes still to come
  std::uint8_t low_ = 0x80;   // bounds of the next continuation byte
  std::uint8_t high_ = 0xBF;
  bool failed_ = false;
};

// Whether `text` is whole, valid UTF-8.
bool is_utf8(std::string_view text);

}  // namespace rtc

// UTF-8 (RFC 3629). Its validation is incremental: any split of the bytes gives the same verdict.
#pragma once

#include <cstdint>
#include <span>
#include <string>
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

// The code point at the front of valid UTF-8 that is not empty; it is removed from it.
char32_t take_character(std::string_view& text);
void append_utf8(std::string& out, char32_t character);

}  // namespace rtc

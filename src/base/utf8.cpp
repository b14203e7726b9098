#include "base/utf8.hpp"

#include <cstring>

namespace rtc {
namespace {

constexpr std::uint64_t kHighBits = 0x8080808080808080;

// Most text is ASCII: where, from `at` on, eight bytes begin of which one is none; else the end.
std::size_t skip_ascii(std::string_view bytes, std::size_t at) {
  const auto word_at = [&bytes](std::size_t place, std::size_t size) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + place, size);
    return word;
  };
  const std::size_t size = bytes.size();
  for (; at + 32 <= size; at += 32) {
    const std::uint64_t four =
        word_at(at, 8) | word_at(at + 8, 8) | word_at(at + 16, 8) | word_at(at + 24, 8);
    if ((four & kHighBits) != 0) break;
  }
  for (; at + 8 <= size; at += 8) {
    if ((word_at(at, 8) & kHighBits) != 0) return at;
  }
  return (word_at(at, size - at) & kHighBits) == 0 ? size : at;
}

}  // namespace

bool Utf8Validator::feed(std::string_view bytes) {
  if (failed_) return false;
  std::size_t i = 0;
  const std::size_t size = bytes.size();
  while (i < size) {
    if (pending_ == 0) {
      i = skip_ascii(bytes, i);
      if (i == size) break;
    }
    const auto byte = static_cast<std::uint8_t>(bytes[i++]);
    if (pending_ > 0) {
      if (byte < low_ || byte > high_) {
        failed_ = true;
        return false;
      }
      low_ = 0x80;
      high_ = 0xBF;
      --pending_;
    } else if (byte >= 0x80) {
      // RFC 3629, section 4: the first byte fixes the length and the range of the second.
      if (byte >= 0xC2 && byte <= 0xDF) {
        pending_ = 1;
      } else if (byte >= 0xE0 && byte <= 0xEF) {
        pending_ = 2;
        if (byte == 0xE0) low_ = 0xA0;
        if (byte == 0xED) high_ = 0x9F;
      } else if (byte >= 0xF0 && byte <= 0xF4) {
        pending_ = 3;
        if (byte == 0xF0) low_ = 0x90;
        if (byte == 0xF4) high_ = 0x8F;
      } else {
        failed_ = true;
        return false;
      }
    }
  }
  return true;
}

bool is_utf8(std::string_view text) {
  Utf8Validator validator;
  return validator.feed(text) && validator.complete();
}

char32_t take_character(std::string_view& text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  char32_t character = size == 1 ? first : first & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    character = (character << 6) | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  text.remove_prefix(size);
  return character;
}

void append_utf8(std::string& out, char32_t character) {
  const auto add = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xC0 | (character >> 6));
    add(0x80 | (character & 0x3F));
  } else if (character < 0x10000) {
    add(0xE0 | (character >> 12));
    add(0x80 | ((character >> 6) & 0x3F));
    add(0x80 | (character & 0x3F));
  } else {
    add(0xF0 | (character >> 18));
    add(0x80 | ((character >> 12) & 0x3F));
    add(0x80 | ((character >> 6) & 0x3F));
    add(0x80 | (character & 0x3F));
  }
}

}  // namespace rtc

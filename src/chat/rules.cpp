#include "chat/rules.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace rtc::chat {
namespace {

// The code point at the front of valid UTF-8, which is removed from it.
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

// Unicode's White_Space, and the characters that show nothing and are used to look blank.
bool is_blank(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200F) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x2060 || c == 0x2800 || c == 0x3000 || c == 0x3164 || c == 0xFEFF || c == 0x00 ||
         c == 0x00AD;
}

// Characters that show nothing but change how, or whether, their neighbours are read: a name with
// them may look like another. Joiners (U+200C, U+200D) belong to some scripts and to emoji.
bool is_deceptive(char32_t c) {
  return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x00AD || c == 0x034F || c == 0x061C ||
         c == 0x115F || c == 0x1160 || c == 0x180E || c == 0x200B || c == 0x200E || c == 0x200F ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0x3164 ||
         c == 0xFEFF || c == 0xFFA0 || (c >= 0xFFF9 && c <= 0xFFFB) ||
         (c >= 0xE0000 && c <= 0xE007F);
}

}  // namespace

Result<void> check_text(std::string_view text, std::uint32_t bytes_max) {
  if (text.empty()) return {ErrorCode::invalid_message_format, "the message is empty"};
  if (text.size() > bytes_max) {
    return {ErrorCode::invalid_message_format,
            "the message is longer than " + std::to_string(bytes_max) + " bytes of UTF-8"};
  }
  if (!is_utf8(text)) return {ErrorCode::invalid_message_format, "the message is not valid UTF-8"};
  while (!text.empty()) {
    if (!is_blank(take_character(text))) return {};
  }
  return {ErrorCode::invalid_message_format, "the message is blank"};
}

Result<std::string> clean_room_name(std::string_view name, std::uint32_t length_max) {
  const auto invalid = [](std::string reason) {
    return Error{ErrorCode::invalid_parameter, "name: " + std::move(reason)};
  };
  if (!is_utf8(name)) return invalid("not valid UTF-8");
  std::uint32_t length = 0;
  std::size_t begin = 0;  // of what is left without the white space at both ends
  std::size_t end = 0;
  std::uint32_t length_at_end = 0;
  bool deceptive = false;  // in what is left, or perhaps behind it
  bool deceptive_at_end = false;
  std::string_view rest = name;
  while (!rest.empty()) {
    const std::size_t at = name.size() - rest.size();
    const char32_t character = take_character(rest);
    if (is_blank(character) && length == 0) continue;
    if (length == 0) begin = at;
    ++length;
    deceptive = deceptive || is_deceptive(character);
    if (is_blank(character)) continue;
    end = name.size() - rest.size();
    length_at_end = length;
    deceptive_at_end = deceptive;
  }
  if (deceptive_at_end) return invalid("control and invisible characters are not allowed");
  if (length_at_end == 0) return invalid("must not be blank");
  if (length_at_end > length_max) {
    return invalid("longer than " + std::to_string(length_max) + " characters");
  }
  return std::string(name.substr(begin, end - begin));
}

bool may_enter(const Room& room, const UserId& user) {
  return room.kind == Room::Kind::open ||
         std::find(room.members.begin(), room.members.end(), user) != room.members.end();
}

}  // namespace rtc::chat

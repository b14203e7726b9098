#include "chat/rules.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace rtc::chat {
namespace {

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

Error invalid(std::string_view what, std::string_view reason) {
  return {ErrorCode::invalid_parameter, std::string(what).append(": ").append(reason)};
}

// One line that others read: without white space at its ends, perhaps nothing. `what` names it in
// the error.
Result<std::string> clean_line(std::string_view what, std::string_view text,
                               std::uint32_t length_max) {
  if (!is_utf8(text)) return invalid(what, "not valid UTF-8");
  std::uint32_t length = 0;
  std::size_t begin = 0;  // of what is left without the white space at both ends
  std::size_t end = 0;
  std::uint32_t length_at_end = 0;
  bool deceptive = false;  // in what is left, or perhaps behind it
  bool deceptive_at_end = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t at = text.size() - rest.size();
    const char32_t character = take_character(rest);
    if (is_blank(character) && length == 0) continue;
    if (length == 0) begin = at;
    ++length;
    deceptive = deceptive || is_deceptive(character);
    if (is_blank(character)) continue;
    end = text.size() - rest.size();
    length_at_end = length;
    deceptive_at_end = deceptive;
  }
  if (deceptive_at_end) return invalid(what, "control and invisible characters are not allowed");
  if (length_at_end > length_max) {
    return invalid(what, "longer than " + std::to_string(length_max) + " characters");
  }
  return std::string(text.substr(begin, end - begin));
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
  auto cleaned = clean_line("name", name, length_max);
  if (cleaned && cleaned->empty()) return invalid("name", "must not be blank");
  return cleaned;
}

Result<std::string> clean_room_topic(std::string_view topic, std::uint32_t length_max) {
  return clean_line("topic", topic, length_max);
}

bool may_enter(const Room& room, const UserId& user) {
  return room.kind == Room::Kind::open ||
         std::find(room.members.begin(), room.members.end(), user) != room.members.end();
}

}  // namespace rtc::chat

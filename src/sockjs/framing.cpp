// SockJS framing: escaping is done here, parsing by Boost.JSON.
#include "sockjs/framing.hpp"

#include <array>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <cstddef>
#include <cstring>

namespace rtc::sockjs {
namespace {

// What a byte of UTF-8 means for the escaping.
enum class Byte : std::uint8_t {
  plain,
  ascii,  // a control character, '"' or '\'
  e2,     // may begin U+200C-200F, U+2028-202F, U+2060-206F
  ef,     // may begin U+FFF0-FFFF
  four,   // begins a character above U+FFFF: a pair of surrogates to JavaScript
};

constexpr std::array<Byte, 256> kBytes = [] {
  std::array<Byte, 256> bytes{};
  for (std::size_t i = 0; i < 0x20; ++i) bytes[i] = Byte::ascii;
  bytes['"'] = bytes['\\'] = Byte::ascii;
  bytes[0xE2] = Byte::e2;
  bytes[0xEF] = Byte::ef;
  for (std::size_t i = 0xF0; i <= 0xF4; ++i) bytes[i] = Byte::four;
  return bytes;
}();

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

std::uint32_t code_point(std::string_view text, std::size_t at, std::size_t size) {
  std::uint32_t value = byte_at(text, at) & (size == 4 ? 0x07U : 0x0FU);
  for (std::size_t i = 1; i < size; ++i) value = value << 6 | (byte_at(text, at + i) & 0x3FU);
  return value;
}

bool is_escaped(std::uint32_t c) {
  return (c >= 0x200C && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
         (c >= 0x2060 && c <= 0x206F) || c >= 0xFFF0;
}

void append_unit(std::string& out, std::uint32_t unit) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  out.append("\\u");
  for (int shift = 12; shift >= 0; shift -= 4) out.push_back(kDigits[unit >> shift & 0xF]);
}

void append_escaped_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      return void(out.append("\\\""));
    case '\\':
      return void(out.append("\\\\"));
    case '\n':
      return void(out.append("\\n"));
    case '\r':
      return void(out.append("\\r"));
    case '\t':
      return void(out.append("\\t"));
    default:
      return append_unit(out, static_cast<std::uint8_t>(c));
  }
}

// The place of the first byte from `at` on that is not plain. Eight at a time while they are: the
// sums set a byte's high bit when it is below 0x20, or equal to '"' or '\\' (exact for a word
// without high bits; one with them is left to the table).
std::size_t skip_plain(std::string_view text, std::size_t at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = kOnes * 0x80;
  while (at + sizeof(std::uint64_t) <= text.size()) {
    std::uint64_t word = 0;
    std::memcpy(&word, text.data() + at, sizeof word);
    const std::uint64_t control = ~(word + kOnes * (0x80 - 0x20));
    const std::uint64_t quote = ~((word ^ kOnes * '"') + kOnes * 0x7F);
    const std::uint64_t backslash = ~((word ^ kOnes * '\\') + kOnes * 0x7F);
    if (((word | control | quote | backslash) & kHigh) != 0) break;
    at += sizeof word;
  }
  while (at < text.size() && kBytes[byte_at(text, at)] == Byte::plain) ++at;
  return at;
}

}  // namespace

// What needs no escape is copied in runs.
void append_escaped(std::string& out, std::string_view text) {
  std::size_t run = 0;
  for (std::size_t at = skip_plain(text, 0); at < text.size(); at = skip_plain(text, at)) {
    const Byte kind = kBytes[byte_at(text, at)];
    const std::size_t size = kind == Byte::ascii ? 1 : kind == Byte::four ? 4 : 3;
    if (size > text.size() - at) break;  // not UTF-8, against the promise: stay within the text
    const std::uint32_t c = size == 1 ? 0 : code_point(text, at, size);
    if (size > 1 && !is_escaped(c)) {
      at += size;
      continue;
    }
    out.append(text.substr(run, at - run));
    if (kind == Byte::ascii) {
      append_escaped_ascii(out, text[at]);
    } else if (kind == Byte::four) {
      append_unit(out, 0xD800 + ((c - 0x10000) >> 10));
      append_unit(out, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
      append_unit(out, c);
    }
    at += size;
    run = at;
  }
  out.append(text.substr(run));
}

void append_array_frame(std::string& out, std::string_view message) {
  out.append("a[\"");
  append_escaped(out, message);
  out.append("\"]");
}

void append_close_frame(std::string& out, std::uint16_t code, std::string_view reason) {
  out.append("c[").append(std::to_string(code)).append(",\"");
  append_escaped(out, reason);
  out.append("\"]");
}

Result<std::vector<std::string>> parse_messages(std::string_view payload) {
  namespace json = boost::json;
  std::vector<std::string> messages;
  if (payload.empty()) return messages;

  std::array<unsigned char, 4096> first_memory;
  json::monotonic_resource memory(first_memory.data(), first_memory.size());
  json::parse_options options;
  options.max_depth = 1;
  json::error_code failed;
  const json::value value = json::parse({payload.data(), payload.size()}, failed, &memory, options);
  const auto refusal = [] {
    return Error{ErrorCode::invalid_message_format, "Not a JSON array of strings."};
  };
  if (failed) return refusal();
  if (const json::string* text = value.if_string()) {
    messages.emplace_back(text->data(), text->size());
    return messages;
  }
  const json::array* list = value.if_array();
  if (list == nullptr) return refusal();
  messages.reserve(list->size());
  for (const json::value& element : *list) {
    const json::string* text = element.if_string();
    if (text == nullptr) return refusal();
    messages.emplace_back(text->data(), text->size());
  }
  return messages;
}

namespace {

constexpr std::size_t kEscapeSize = 6;  // \uXXXX

// Whether `text` begins with the escape of a surrogate whose third hex digit is one of `digits`.
bool begins_with_surrogate(std::string_view text, std::string_view digits) {
  return text.size() >= kEscapeSize && text[0] == '\\' && text[1] == 'u' &&
         (text[2] == 'd' || text[2] == 'D') && digits.find(text[3]) != std::string_view::npos;
}
bool begins_with_high_half(std::string_view text) {
  return begins_with_surrogate(text, "89abAB");
}
bool begins_with_low_half(std::string_view text) {
  return begins_with_surrogate(text, "cdefCDEF");
}

// Where the characters of the first string begin, and those of the last one end; 0: there is none.
std::size_t first_begin(std::string_view payload) {
  return payload.find('"') + 1;
}
std::size_t last_end(std::string_view payload) {
  return first_begin(payload) == 0 ? 0 : payload.rfind('"');
}

// Whether the last string ends in a high half: an escape, not an escaped backslash before "ud83d".
bool ends_with_high_half(std::string_view payload) {
  if (last_end(payload) < first_begin(payload) + kEscapeSize) return false;
  const std::size_t at = last_end(payload) - kEscapeSize;
  if (!begins_with_high_half(payload.substr(at))) return false;
  std::size_t before = at;
  while (before > 0 && payload[before - 1] == '\\') --before;
  return (at - before) % 2 == 0;
}

}  // namespace

Result<std::vector<std::string>> MessageReader::read(std::string_view payload) {
  if (payload.empty() || (high_half_.empty() && !ends_with_high_half(payload))) {
    return parse_messages(payload);
  }
  std::string joined(payload);
  if (const std::size_t begin = first_begin(payload); !high_half_.empty() && begin > 0) {
    const bool pair = begins_with_low_half(payload.substr(begin));
    joined.insert(begin, pair ? high_half_ : "\\ufffd");
    high_half_.clear();
  }
  if (ends_with_high_half(joined)) {
    const std::size_t at = last_end(joined) - kEscapeSize;
    high_half_ = joined.substr(at, kEscapeSize);
    joined.erase(at, kEscapeSize);
  }
  return parse_messages(joined);
}

std::string info_body(bool websocket, bool cookie_needed, std::uint32_t entropy) {
  const auto boolean = [](bool value) { return value ? "true" : "false"; };
  std::string body = "{\"websocket\":";
  body.append(boolean(websocket)).append(",\"origins\":[\"*:*\"],\"cookie_needed\":");
  body.append(boolean(cookie_needed)).append(",\"entropy\":");
  return body.append(std::to_string(entropy)).append("}");
}

std::optional<SessionPath> parse_session_path(std::string_view rest) {
  std::array<std::string_view, 3> segments;
  for (std::string_view& segment : segments) {
    if (!rest.starts_with('/')) return std::nullopt;
    rest.remove_prefix(1);
    segment = rest.substr(0, rest.find('/'));
    if (segment.empty()) return std::nullopt;
    rest.remove_prefix(segment.size());
  }
  const auto& [server, session, transport] = segments;
  if (!rest.empty() || server.find('.') != std::string_view::npos ||
      session.find('.') != std::string_view::npos) {
    return std::nullopt;
  }
  return SessionPath{server, session, transport};
}

}  // namespace rtc::sockjs

// Writing frames; runs of plain characters are copied whole.
#include "stomp/writer.hpp"

#include <array>
#include <charconv>
#include <cstddef>

namespace rtc::stomp {
namespace {

constexpr std::array<bool, 256> kSpecial = [] {
  std::array<bool, 256> special{};
  for (const char c : {'\0', '\n', '\r', ':', '\\'}) special[static_cast<std::uint8_t>(c)] = true;
  return special;
}();

std::size_t find_special(std::string_view text, std::size_t from) {
  while (from < text.size() && !kSpecial[static_cast<std::uint8_t>(text[from])]) ++from;
  return from;
}

// Appends one special character; `colon` is what a ':' becomes in 1.0.
void append_special(std::string& out, char c, Version version, char colon) {
  const bool escapes = version != Version::v1_0;
  switch (c) {
    case '\n':
      if (escapes) return void(out.append("\\n"));
      return out.push_back(' ');
    case '\r':
      if (version == Version::v1_2) return void(out.append("\\r"));
      return out.push_back('\r');  // 1.0 and 1.1 have no escape for it: it is data there
    case ':':
      if (escapes) return void(out.append("\\c"));
      return out.push_back(colon);
    case '\\':
      if (escapes) return void(out.append("\\\\"));
      return out.push_back('\\');
    default:
      return out.push_back(' ');
  }
}

void append(std::string& out, std::string_view text, Version version, char colon) {
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = find_special(text, begin);
    out.append(text.substr(begin, end - begin));
    if (end == text.size()) return;
    append_special(out, text[end], version, colon);
    begin = end + 1;
  }
}

}  // namespace

Writer::Writer(std::string& out, Command command, Version version)
    : out_(out), version_(opens_session(command) ? Version::v1_0 : version) {
  out_.append(to_string(command));
  out_.push_back('\n');
}

Writer& Writer::header(std::string_view name, std::string_view value) {
  append(out_, name, version_, ' ');
  out_.push_back(':');
  append(out_, value, version_, ':');
  out_.push_back('\n');
  return *this;
}

Writer& Writer::header(std::string_view name, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  return header(name, std::string_view(digits.data(), written.ptr));
}

void Writer::end_headers(std::size_t body_bytes) {
  header("content-length", body_bytes);
  end_headers();
}

void Writer::end(std::string_view body) {
  if (body.empty()) {
    out_.push_back('\n');
  } else {
    end_headers(body.size());
  }
  out_.append(body);
  out_.push_back('\0');
}

void append_escaped(std::string& out, std::string_view value, Version version) {
  append(out, value, version, ':');
}

}  // namespace rtc::stomp

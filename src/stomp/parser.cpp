// The parser's state machine: EOLs between frames, a frame's head line by line, its body.
#include "stomp/parser.hpp"

#include <algorithm>

#include "base/utf8.hpp"

namespace rtc::stomp {
namespace {

constexpr std::size_t kLinesAtFirst = 8;
constexpr std::size_t kLinesKeptMax = 64;
constexpr std::size_t kBytesKeptMax = 1024;
constexpr auto kNone = std::string_view::npos;

// What `\` and this character stand for; NUL when they stand for nothing in that version.
char unescaped_char(char escape, Version version) {
  switch (escape) {
    case 'n':
      return '\n';
    case 'c':
      return ':';
    case '\\':
      return '\\';
    case 'r':
      return version == Version::v1_2 ? '\r' : '\0';
    default:
      return '\0';
  }
}

bool are_escapes_known(std::string_view text, Version version) {
  for (std::size_t at = text.find('\\'); at != kNone; at = text.find('\\', at + 2)) {
    if (at + 1 == text.size() || unescaped_char(text[at + 1], version) == '\0') return false;
  }
  return true;
}

// Appends to `out`, whose capacity must suffice, and returns what was appended.
std::string_view append_unescaped(std::string& out, std::string_view text, Version version) {
  const std::size_t begin = out.size();
  for (std::size_t i = 0; i < text.size(); ++i) {
    out.push_back(text[i] == '\\' ? unescaped_char(text[++i], version) : text[i]);
  }
  return std::string_view(out).substr(begin);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

void trim_spaces(std::string_view bytes, std::size_t& begin, std::size_t& end) {
  while (begin < end && bytes[begin] == ' ') ++begin;
  while (begin < end && bytes[end - 1] == ' ') --end;
}

}  // namespace

// The frame that a thread handed out last: who takes up the next one, of whatever session, uses its
// memory, and an idle session has none.
std::unique_ptr<Parser::Assembly>& Parser::spare() {
  thread_local std::unique_ptr<Assembly> assembly;
  return assembly;
}

void Parser::lay_down() {
  if (!assembly_) return;
  // Small memory is worth keeping.
  std::vector<HeaderLine> lines = std::move(assembly_->lines);
  std::vector<Header> headers = std::move(assembly_->headers);
  if (lines.capacity() > kLinesKeptMax || headers.capacity() > kLinesKeptMax ||
      assembly_->bytes.capacity() > kBytesKeptMax ||
      assembly_->unescaped.capacity() > kBytesKeptMax) {
    assembly_.reset();
    return;
  }
  lines.clear();
  headers.clear();
  *assembly_ = {};
  assembly_->lines = std::move(lines);
  assembly_->headers = std::move(headers);
  spare() = std::move(assembly_);
}

void Parser::take_up() {
  lay_down();
  assembly_ = std::move(spare());
  if (assembly_) return;
  assembly_ = std::make_unique<Assembly>();
  assembly_->lines.reserve(kLinesAtFirst);
}

void Parser::set_version(Version version) {
  version_ = version;
  negotiated_ = true;
}

bool Parser::unescapes() const {
  return negotiated_ && version_ != Version::v1_0 && !opens_session(assembly_->command);
}

bool Parser::takes_body() const {
  return (negotiated_ && version_ == Version::v1_0) || may_have_body(assembly_->command);
}

Event Parser::next(std::string_view& input, const ParserLimits& limits) {
  if (state_ == State::broken) {
    lay_down();
    input = {};
    return {};
  }
  if (state_ == State::between_frames) {
    const Event event = skip_eols(input);
    if (event.kind != Event::Kind::need_more) return event;
    if (input.empty()) {
      lay_down();
      return {};
    }
    take_up();
    assembly_->limits = &limits;
    state_ = State::head;
  }
  return assembly_->bytes.empty() ? take_in_place(input) : take_piecewise(input);
}

Event Parser::skip_eols(std::string_view& input) {
  bool any = false;
  std::size_t used = 0;
  for (; used < input.size(); ++used) {
    if (input[used] == '\n') {
      any = true;
      after_cr_ = false;
    } else if (input[used] == '\r' && !after_cr_) {
      after_cr_ = true;
    } else {
      break;
    }
  }
  input.remove_prefix(used);
  Event event;
  if (any) {
    event.kind = Event::Kind::heart_beat;
  } else if (after_cr_ && !input.empty()) {
    return fail("a CR without LF between frames");
  }
  return event;
}

Event Parser::take_in_place(std::string_view& input) {
  Event event;
  switch (advance(input, event)) {
    case Progress::failed:
      event.frame = frame_event(input).frame;
      break;
    case Progress::incomplete:
      assembly_->bytes.assign(input);
      input = {};
      break;
    case Progress::complete:
      event = frame_event(input);
      input.remove_prefix(assembly_->scanned);
      break;
  }
  return event;
}

Event Parser::take_piecewise(std::string_view& input) {
  Event event;
  while (!input.empty()) {
    const std::size_t size = wanted(input);
    assembly_->bytes.append(input.substr(0, size));
    input.remove_prefix(size);
    const Progress progress = advance(assembly_->bytes, event);
    if (progress == Progress::complete) return frame_event(assembly_->bytes);
    if (progress == Progress::failed) {
      event.frame = frame_event(assembly_->bytes).frame;
      return event;
    }
  }
  return event;
}

// How much of `input` to add to the frame's bytes: nothing behind the frame, and at most one byte
// more than the limits allow.
std::size_t Parser::wanted(std::string_view input) const {
  const Assembly& frame = *assembly_;
  const std::size_t have = frame.bytes.size();
  if (state_ == State::body && frame.content_length) {
    return std::min(input.size(), frame.body_begin + *frame.content_length + 1 - have);
  }
  const bool head = state_ == State::head;
  const std::size_t bound = head ? assembly_->limits->header_bytes_max
                                 : frame.body_begin + assembly_->limits->body_bytes_max;
  input = input.substr(0, bound + 1 - have);
  const std::size_t end = input.find(head ? '\n' : '\0');
  return end == kNone ? input.size() : end + 1;
}

Parser::Progress Parser::advance(std::string_view bytes, Event& event) {
  if (state_ == State::head) {
    const Progress head = advance_head(bytes, event);
    if (head != Progress::complete) return head;
  }
  return advance_body(bytes, event);
}

Parser::Progress Parser::advance_head(std::string_view bytes, Event& event) {
  Assembly& frame = *assembly_;
  const std::string_view allowed = bytes.substr(0, assembly_->limits->header_bytes_max);
  while (state_ == State::head) {
    const std::size_t end = allowed.find('\n', frame.scanned);
    const std::string_view fresh = allowed.substr(frame.scanned, end - frame.scanned);
    if (fresh.find('\0') != kNone) {
      event = fail("a frame ends before the blank line after its headers");
      return Progress::failed;
    }
    if (end == kNone) {
      frame.scanned = allowed.size();
      if (bytes.size() == allowed.size()) return Progress::incomplete;
      event = fail("the headers are too long", true);
      return Progress::failed;
    }
    const std::size_t begin = frame.line_begin;
    frame.scanned = frame.line_begin = end + 1;
    if (!take_line(bytes, begin, end, event)) return Progress::failed;
  }
  return Progress::complete;
}

bool Parser::take_line(std::string_view bytes, std::size_t begin, std::size_t end, Event& event) {
  if (takes_crlf() && end > begin && bytes[end - 1] == '\r') --end;
  const std::string_view line = bytes.substr(begin, end - begin);
  if (!is_utf8(line)) {
    event = fail("a command or header is not valid UTF-8");
    return false;
  }
  if (begin == 0) {
    const std::optional<Command> command = parse_command(line);
    if (!command) {
      event = fail("unknown command");
      return false;
    }
    assembly_->command = *command;
    return true;
  }
  if (!line.empty()) return take_header(bytes, begin, end, event);

  if (assembly_->content_length.value_or(0) > 0 && !takes_body()) {
    event = fail("only SEND, MESSAGE and ERROR may have a body");
    return false;
  }
  assembly_->body_begin = assembly_->scanned;
  state_ = State::body;
  return true;
}

bool Parser::take_header(std::string_view bytes, std::size_t begin, std::size_t end, Event& event) {
  const auto wrong = [&](std::string_view reason, bool too_large = false) {
    event = fail(reason, too_large);
    return false;
  };
  Assembly& frame = *assembly_;
  if (frame.lines.size() >= assembly_->limits->headers_max) return wrong("too many headers", true);
  const std::string_view line = bytes.substr(begin, end - begin);
  const std::size_t colon = line.find(':');
  if (colon == kNone) return wrong("a header has no colon");

  std::size_t name_begin = begin;
  std::size_t name_end = begin + colon;
  std::size_t value_begin = name_end + 1;
  std::size_t value_end = end;
  bool escaped = false;
  if (negotiated_ && version_ == Version::v1_0) {
    trim_spaces(bytes, name_begin, name_end);
    trim_spaces(bytes, value_begin, value_end);
  } else if (unescapes()) {
    if (version_ == Version::v1_2 && line.find('\r') != kNone) {
      return wrong("a header holds a CR that is not escaped");
    }
    escaped = line.find('\\') != kNone;
    // The colon between cannot be a part of an escape, so the line is judged by its halves.
    if (escaped && (!are_escapes_known(line.substr(0, colon), version_) ||
                    !are_escapes_known(line.substr(colon + 1), version_))) {
      return wrong("a header holds an unknown escape");
    }
  }
  if (name_begin == name_end) return wrong("a header has no name");
  // At most header_bytes_max, so 32 bits hold each place.
  frame.lines.push_back(
      {static_cast<std::uint32_t>(name_begin), static_cast<std::uint32_t>(name_end),
       static_cast<std::uint32_t>(value_begin), static_cast<std::uint32_t>(value_end), escaped});
  if (escaped) frame.escaped_bytes += line.size();
  if (frame.content_length || bytes.substr(name_begin, name_end - name_begin) != "content-length") {
    return true;
  }
  return take_content_length(bytes.substr(value_begin, value_end - value_begin), event);
}

bool Parser::take_content_length(std::string_view value, Event& event) {
  if (!negotiated_) value = trimmed(value);  // whether it is 1.0 is not known yet
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (value.empty() || !std::all_of(value.begin(), value.end(), is_digit)) {
    event = fail("content-length is not a number");
    return false;
  }
  std::uint64_t length = 0;
  for (const char digit : value) {
    length = length * 10 + static_cast<std::uint64_t>(digit - '0');
    if (length > assembly_->limits->body_bytes_max) {
      event = fail("the body is too long", true);
      return false;
    }
  }
  assembly_->content_length = static_cast<std::uint32_t>(length);
  return true;
}

Parser::Progress Parser::advance_body(std::string_view bytes, Event& event) {
  Assembly& frame = *assembly_;
  if (frame.content_length) {
    const std::size_t end = frame.body_begin + *frame.content_length;
    if (bytes.size() <= end) return Progress::incomplete;
    if (bytes[end] != '\0') {
      event = fail("no NUL follows the body that content-length counts");
      return Progress::failed;
    }
    frame.scanned = end + 1;
    return Progress::complete;
  }
  const bool allowed = takes_body();
  const std::size_t end_max = frame.body_begin + (allowed ? assembly_->limits->body_bytes_max : 0);
  const std::string_view looked_at = bytes.substr(0, end_max + 1);
  const std::size_t end = looked_at.find('\0', frame.scanned);
  if (end == kNone) {
    frame.scanned = looked_at.size();
    if (bytes.size() <= end_max) return Progress::incomplete;
    event = allowed ? fail("the body is too long", true)
                    : fail("only SEND, MESSAGE and ERROR may have a body");
    return Progress::failed;
  }
  frame.scanned = end + 1;
  return Progress::complete;
}

Event Parser::frame_event(std::string_view bytes) {
  Assembly& frame = *assembly_;
  frame.headers.reserve(frame.lines.size());
  frame.unescaped.reserve(frame.escaped_bytes);  // views into it must stay good
  for (const HeaderLine& line : frame.lines) {
    std::string_view name = bytes.substr(line.name_begin, line.name_end - line.name_begin);
    std::string_view value = bytes.substr(line.value_begin, line.value_end - line.value_begin);
    if (line.escaped) {
      name = append_unescaped(frame.unescaped, name, version_);
      value = append_unescaped(frame.unescaped, value, version_);
    }
    frame.headers.push_back({name, value});
  }
  Event event;
  event.frame.command = frame.command;
  event.frame.headers = frame.headers;
  // What follows a CONNECT of 1.0 is read without the blanks, and so is it.
  if (!negotiated_ && opens_session(frame.command) &&
      negotiate(event.frame.get("accept-version")) == Version::v1_0) {
    for (Header& header : frame.headers) header = {trimmed(header.name), trimmed(header.value)};
  }
  if (state_ == State::broken) return event;  // what was read of it before
  const auto is_nameless = [](const Header& header) { return header.name.empty(); };
  if (std::any_of(frame.headers.begin(), frame.headers.end(), is_nameless)) {
    return fail("a header has no name");  // but blanks
  }
  state_ = State::between_frames;
  event.kind = Event::Kind::frame;
  event.frame.body = bytes.substr(frame.body_begin, frame.scanned - 1 - frame.body_begin);
  return event;
}

Event Parser::fail(std::string_view reason, bool too_large) {
  state_ = State::broken;
  Event event;
  event.kind = Event::Kind::error;
  event.reason = reason;
  event.too_large = too_large;
  return event;
}

}  // namespace rtc::stomp

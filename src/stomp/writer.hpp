// STOMP frames out: appended to a string of the caller's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "stomp/frame.hpp"

namespace rtc::stomp {

// Appends one frame: command line, then header() any number of times, then exactly one end().
// Header names and values are escaped as `version` asks. What cannot be expressed is replaced by a
// space, so that no value can begin a header of its own: NUL everywhere; LF and in a name ':' in
// 1.0 and on CONNECTED (and CONNECT), which is never escaped. CR has an escape in 1.2 only and is
// written as it is elsewhere.
class Writer {
 public:
  Writer(std::string& out, Command command, Version version);

  Writer& header(std::string_view name, std::string_view value);
  Writer& header(std::string_view name, std::uint64_t value);
  // Writes content-length (when `body` is not empty), the blank line, the body and the NUL.
  void end(std::string_view body = {});
  // The same up to the body: its `body_bytes` (more than 0) and the NUL are the caller's to append.
  void end_headers(std::size_t body_bytes);
  // The same without content-length, which header() wrote before.
  void end_headers() { out_.push_back('\n'); }

 private:
  std::string& out_;
  Version version_;  // whose escapes are used
};

// Appends `value` escaped for a header of that version, as above.
void append_escaped(std::string& out, std::string_view value, Version version);

}  // namespace rtc::stomp

// STOMP frames in, incrementally, from any split of the bytes: bytes in, events out, no socket.
//
// A frame that lies whole in the input is parsed in place and costs no copy; the part of an
// incomplete one is kept until the rest comes, and its memory is given back once it was handed out.
// No work is done twice over bytes already looked at (a frame fed byte by byte stays linear).
//
// One connection owns it; its loop's thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stomp/frame.hpp"

namespace rtc::stomp {

struct ParserLimits {
  std::uint32_t headers_max = 64;            // header lines of one frame
  std::uint32_t header_bytes_max = 16 << 10;  // command and header lines together
  std::uint32_t body_bytes_max = 256 << 10;
};

struct Event {
  enum class Kind {
    need_more,   // all bytes are used up
    frame,       // `frame` is valid until the next call
    heart_beat,  // one or more EOLs between frames
    error,       // the stream is broken: answer ERROR(reason) and close
  };
  Kind kind = Kind::need_more;
  Frame frame;
  std::string_view reason;  // error: an English literal, fit for ERROR's `message` header
  bool too_large = false;   // error: a limit, not the grammar
};

class Parser {
 public:
  explicit Parser(const ParserLimits& limits) : limits_(limits) {}

  // The version that CONNECT and CONNECTED agreed on; until then 1.2's line ends and no unescaping
  // (CONNECT and CONNECTED are never unescaped, whatever the version; 1.0 never unescapes).
  void set_version(Version version) { version_ = version; }
  Version version() const { return version_; }

  // Takes bytes from the front of `input` and returns one event; call again until need_more. After
  // error every further call returns need_more and swallows its input.
  //
  // Grammar held: a NUL ends a frame, and content-length, where given, decides how long the body is
  // (then a NUL must follow); lines end in LF, in 1.2 also CRLF; a header line without ':' , an
  // unknown command, an unknown escape (1.1, 1.2), a malformed content-length, invalid UTF-8 in the
  // command or headers, a body on a frame other than SEND, MESSAGE or ERROR are errors. Header names
  // and values are taken as they are: 1.0's stray spaces around them are trimmed in 1.0 only.
  Event next(std::string_view& input);

 private:
  // To be completed with the implementation; keep it small, every session has one.
  ParserLimits limits_;
  Version version_ = Version::v1_2;
};

}  // namespace rtc::stomp

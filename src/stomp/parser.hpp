// STOMP frames in, incrementally, from any split of the bytes: bytes in, events out, no socket.
//
// A frame that lies whole in the input is parsed in place and costs no copy; the part of an
// incomplete one is kept until the rest comes. A frame fed byte by byte costs linear work. Memory
// is held only from a frame's first byte until the input that ends it is used up: an idle parser
// owns none.
//
// One connection owns it; its loop's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stomp/frame.hpp"

namespace rtc::stomp {

// Held while the bytes arrive: the first one too many is the error.
struct ParserLimits {
  std::uint32_t headers_max = 64;  // header lines of one frame
  // All before the body: command, header lines and the blank line, with their line ends.
  std::uint32_t header_bytes_max = 16 << 10;
  std::uint32_t body_bytes_max = 256 << 10;  // a greater content-length fails at once
};

struct Event {
  enum class Kind {
    need_more,   // all bytes are used up
    frame,       // `frame` is valid until the next call; error: so are the headers read of it
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
  // The version that CONNECT and CONNECTED agreed on, set between two frames; until then 1.2's line
  // ends and no unescaping (CONNECT, STOMP and CONNECTED are never unescaped, whatever the version;
  // 1.0 never unescapes).
  void set_version(Version version);
  Version version() const { return version_; }

  // Takes bytes from the front of `input` and returns one event; call again until need_more. After
  // error every further call returns need_more and swallows its input. A frame's views may point
  // into the bytes that `input` viewed: keep those until the next call too.
  //
  // Grammar held: a NUL ends a frame, and content-length, where given, decides how long the body is
  // (then a NUL must follow); lines end in LF, in 1.2 also CRLF, where elsewhere than there a CR is
  // an error in an escaped header (in 1.0 and 1.1 it is a part of the line); a header line without
  // ':' or without a name, a frame that ends before its blank line, an unknown command, an unknown
  // escape (1.1, 1.2), a malformed content-length, invalid UTF-8 in the command or headers, and but
  // in 1.0 a body on a frame other than SEND, MESSAGE or ERROR are errors. Header names and values
  // are taken as they are: 1.0's stray spaces around them are trimmed in 1.0 only, also in a
  // CONNECT that asks for no more (and around the content-length of any CONNECT). EOLs between
  // frames may be LF or CRLF in every version.
  //
  // A frame is held to the `limits` given with its first byte, kept by their address until it ends.
  Event next(std::string_view& input, const ParserLimits& limits);

 private:
  enum class State : std::uint8_t { between_frames, head, body, broken };
  enum class Progress { incomplete, complete, failed };

  // Where a header line lies, from its frame's first byte on.
  struct HeaderLine {
    std::uint32_t name_begin;
    std::uint32_t name_end;
    std::uint32_t value_begin;
    std::uint32_t value_end;
    bool escaped;
  };
  struct Assembly {
    const ParserLimits* limits = nullptr;
    std::string bytes;  // of a frame that comes in pieces; empty while it is parsed in place
    std::vector<HeaderLine> lines;
    std::size_t scanned = 0;  // bytes looked at
    std::size_t line_begin = 0;
    std::size_t body_begin = 0;
    std::size_t escaped_bytes = 0;  // in the lines to unescape
    std::optional<std::uint32_t> content_length;
    Command command = Command::send;
    std::vector<Header> headers;  // of the whole frame
    std::string unescaped;        // what they view where they were escaped
  };

  static std::unique_ptr<Assembly>& spare();
  void take_up();
  void lay_down();

  bool takes_crlf() const { return !negotiated_ || version_ == Version::v1_2; }
  bool unescapes() const;
  bool takes_body() const;

  Event skip_eols(std::string_view& input);
  Event take_in_place(std::string_view& input);
  Event take_piecewise(std::string_view& input);
  std::size_t wanted(std::string_view input) const;

  // These look at the frame's bytes so far, `bytes`, from where the last call stopped; when they
  // fail, `event` is the error.
  Progress advance(std::string_view bytes, Event& event);
  Progress advance_head(std::string_view bytes, Event& event);
  Progress advance_body(std::string_view bytes, Event& event);
  bool take_line(std::string_view bytes, std::size_t begin, std::size_t end, Event& event);
  bool take_header(std::string_view bytes, std::size_t begin, std::size_t end, Event& event);
  bool take_content_length(std::string_view value, Event& event);

  Event frame_event(std::string_view bytes);
  Event fail(std::string_view reason, bool too_large = false);

  std::unique_ptr<Assembly> assembly_;
  Version version_ = Version::v1_2;
  bool negotiated_ = false;
  bool after_cr_ = false;  // between frames: the last byte was a CR
  State state_ = State::between_frames;
};

}  // namespace rtc::stomp

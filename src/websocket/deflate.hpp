// The codec of permessage-deflate (RFC 7692, section 7.2): text in, compressed payload out, and
// back.
//
// Nothing is remembered from one message to the next ("no context takeover", docs/adr/0010): one
// Deflater and one Inflater serve all connections of an event loop. They take zlib's memory with
// their first message: the Deflater 256 KiB and, for small windows, 23 KiB; the Inflater 72 KiB
// with its output. The loop's thread only, except for the figures.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rtc::websocket {

// How what we send on a connection may be compressed, as its handshake agreed.
enum class Deflate : std::uint8_t {
  off,
  small_window,  // the client can look back less than 32 KiB: we use 512 bytes
  full_window,   // 32 KiB
};
inline constexpr std::size_t kDeflates = 3;

// What went through a Deflater or an Inflater. Written by its loop's thread, read by any.
struct DeflateFigures {
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> plain_bytes{0};
  std::atomic<std::uint64_t> compressed_bytes{0};
  std::atomic<std::uint64_t> refused{0};  // inflating only: corrupt, or of more than was allowed
};

// A compressed message is a sequence of blocks, so a head of each receiver's own and a tail that
// all share make one message: append_stored(head), then append_end(tail).
class Deflater {
 public:
  Deflater();
  ~Deflater();

  // Appends `text` as it is, in blocks that more can follow: 5 bytes for each 65,535.
  static void append_stored(std::string& out, std::string_view text);
  static std::size_t stored_bytes(std::size_t text_bytes);
  // Appends `text` compressed on its own, as the end of a message. `deflate` is not off.
  void append_end(std::string& out, std::string_view text, Deflate deflate);

  const DeflateFigures& figures() const { return figures_; }

 private:
  struct Stream;
  DeflateFigures figures_;
  std::array<std::unique_ptr<Stream>, kDeflates> streams_;  // made when first asked for
};

// One message at a time, from begin() until `end` or `corrupt`.
class Inflater {
 public:
  static constexpr std::size_t kStretchBytesMax = 32 << 10;

  struct Stretch {
    std::span<char> bytes;  // valid until the next call; may be empty
    bool end = false;       // the message's last
    bool corrupt = false;   // not deflate, or cut off
  };

  Inflater();
  ~Inflater();

  // `payload`: the whole message's, over all its fragments; must stay as it is until the end.
  void begin(std::span<const char> payload);
  // The message's next stretch. The sum of all is the caller's to bound: each costs its size only.
  Stretch next();
  // The caller gives the message up: for corruption, or for its sum.
  void refuse() { figures_.refused.fetch_add(1, std::memory_order_relaxed); }

  const DeflateFigures& figures() const { return figures_; }

 private:
  struct Stream;
  DeflateFigures figures_;
  std::unique_ptr<Stream> stream_;
};

}  // namespace rtc::websocket

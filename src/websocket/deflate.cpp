// Raw deflate by zlib. Our blocks end on a byte's boundary by Z_SYNC_FLUSH, whose last four bytes
// are not sent and are put back before inflating (RFC 7692, sections 7.2.1 and 7.2.2).
#include "websocket/deflate.hpp"

#include <algorithm>
#include <new>
#include <zlib.h>

namespace rtc::websocket {
namespace {

// The fastest level: on chat it saves within 2 % of what level 6 does (docs/adr/0010).
constexpr int kLevel = 1;
constexpr int kFullWindowBits = 15;
constexpr int kFullMemoryLevel = 8;
// The smallest that zlib has for raw deflate; it fits whatever window of 9 to 14 bits was asked
// for.
constexpr int kSmallWindowBits = 9;
constexpr int kSmallMemoryLevel = 5;

constexpr std::size_t kStoredBytesMax = 65535;
constexpr std::size_t kStoredHeaderBytes = 5;
constexpr std::string_view kFlushTail{"\0\0\xFF\xFF", 4};
// Beyond what deflateBound() promises for one call: the flush's empty block.
constexpr std::size_t kFlushBytes = 16;

// zlib does not write through next_in.
Bytef* input_of(const char* bytes) {
  return reinterpret_cast<Bytef*>(const_cast<char*>(bytes));
}

void count(std::atomic<std::uint64_t>& figure, std::uint64_t more) {
  figure.fetch_add(more, std::memory_order_relaxed);
}

}  // namespace

struct Deflater::Stream {
  Stream(int window_bits, int memory_level) {
    if (deflateInit2(&z, kLevel, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK) {
      throw std::bad_alloc();
    }
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { deflateEnd(&z); }

  z_stream z{};
};

Deflater::Deflater() = default;
Deflater::~Deflater() = default;

std::size_t Deflater::stored_bytes(std::size_t text_bytes) {
  return text_bytes + (text_bytes + kStoredBytesMax - 1) / kStoredBytesMax * kStoredHeaderBytes;
}

void Deflater::append_stored(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = std::min(text.size(), kStoredBytesMax);
    const auto low = static_cast<std::uint8_t>(size & 0xFF);
    const auto high = static_cast<std::uint8_t>(size >> 8);
    // RFC 1951, section 3.2.4: not the last block, stored; its length and the complement of that.
    for (const int byte : {0, int{low}, int{high}, ~low & 0xFF, ~high & 0xFF}) {
      out.push_back(static_cast<char>(byte));
    }
    out.append(text.substr(0, size));
    text.remove_prefix(size);
  }
}

void Deflater::append_end(std::string& out, std::string_view text, Deflate deflate_as) {
  auto& stream = streams_[static_cast<std::size_t>(deflate_as)];
  if (stream == nullptr) {
    stream = deflate_as == Deflate::full_window
                 ? std::make_unique<Stream>(kFullWindowBits, kFullMemoryLevel)
                 : std::make_unique<Stream>(kSmallWindowBits, kSmallMemoryLevel);
  }
  z_stream& z = stream->z;
  deflateReset(&z);
  const std::size_t before = out.size();
  const std::size_t room = deflateBound(&z, static_cast<uLong>(text.size())) + kFlushBytes;
  out.resize(before + room);
  z.next_in = input_of(text.data());
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data() + before);
  z.avail_out = static_cast<uInt>(room);
  // Flushing again until room is left: deflateBound() does not count what a flush adds.
  while (deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_out == 0) {
    const std::size_t used = out.size();
    out.resize(used + room);
    z.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    z.avail_out = static_cast<uInt>(room);
  }
  out.resize(out.size() - z.avail_out - kFlushTail.size());
  count(figures_.messages, 1);
  count(figures_.plain_bytes, text.size());
  count(figures_.compressed_bytes, out.size() - before);
}

struct Inflater::Stream {
  Stream() {
    if (inflateInit2(&z, -kFullWindowBits) != Z_OK) throw std::bad_alloc();
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { inflateEnd(&z); }

  z_stream z{};
  bool in_tail = false;  // the payload is used up, and the flush's tail is being read
  std::array<char, kStretchBytesMax> out{};
};

Inflater::Inflater() = default;
Inflater::~Inflater() = default;

void Inflater::begin(std::span<const char> payload) {
  if (stream_ == nullptr) stream_ = std::make_unique<Stream>();
  z_stream& z = stream_->z;
  inflateReset(&z);
  stream_->in_tail = false;
  z.next_in = input_of(payload.data());
  z.avail_in = static_cast<uInt>(payload.size());
  count(figures_.messages, 1);
  count(figures_.compressed_bytes, payload.size());
}

Inflater::Stretch Inflater::next() {
  z_stream& z = stream_->z;
  z.next_out = reinterpret_cast<Bytef*>(stream_->out.data());
  z.avail_out = static_cast<uInt>(stream_->out.size());
  Stretch stretch;
  while (z.avail_out > 0) {
    if (z.avail_in == 0 && !stream_->in_tail) {
      stream_->in_tail = true;
      z.next_in = input_of(kFlushTail.data());
      z.avail_in = kFlushTail.size();
    }
    const int result = inflate(&z, Z_SYNC_FLUSH);
    if (result == Z_STREAM_END) {
      inflateReset(&z);  // a last block, after which others come (RFC 7692, section 7.2.3.4)
      continue;
    }
    stretch.corrupt = result != Z_OK && result != Z_BUF_ERROR;
    if (stretch.corrupt) return stretch;
    if (z.avail_in > 0 || !stream_->in_tail) continue;
    // All is read. A whole message ends between two blocks, on a byte's boundary: zlib says so by
    // bit 7 and by the number of bits left over.
    stretch.end = (z.data_type & 128) != 0 && (z.data_type & 63) == 0;
    stretch.corrupt = !stretch.end && z.avail_out > 0;
    if (stretch.end || stretch.corrupt) break;
  }
  stretch.bytes = std::span(stream_->out).first(stream_->out.size() - z.avail_out);
  count(figures_.plain_bytes, stretch.bytes.size());
  return stretch;
}

}  // namespace rtc::websocket

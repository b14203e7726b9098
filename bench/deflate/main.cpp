// What permessage-deflate costs a chat server: bytes saved and CPU time of a message, with and
// without context takeover, and the memory that takeover keeps for each session. Prints Markdown.
//
//   rtc_deflate FILE...      prose to cut messages from, such as README.md README.ko.md
//
// Raw deflate by zlib, as RFC 7692 has it. Uses nothing of src/: it measures choices, not the code.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fmt/core.h>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>
#include <zlib.h>

namespace {

constexpr std::size_t kMessages = 2000;
constexpr std::size_t kFlushTail = 4;  // 00 00 FF FF, which is not sent

struct Message {
  std::string head;  // the MESSAGE frame up to its body
  std::string body;
};

struct Shape {
  int level;
  int window_bits;
  int memory_level;
};

[[noreturn]] void die(const std::string& why) {
  fmt::print(stderr, "rtc_deflate: {}\n", why);
  std::exit(2);
}

std::size_t allocated = 0;
voidpf count_alloc(voidpf, uInt items, uInt size) {
  allocated += std::size_t{items} * size;
  return std::calloc(items, size);
}
void count_free(voidpf, voidpf address) {
  std::free(address);
}

class Deflate {
 public:
  explicit Deflate(const Shape& shape) {
    stream_.zalloc = count_alloc;
    stream_.zfree = count_free;
    if (deflateInit2(&stream_, shape.level, Z_DEFLATED, -shape.window_bits, shape.memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
      die("deflateInit2");
    }
  }
  Deflate(const Deflate&) = delete;
  Deflate& operator=(const Deflate&) = delete;
  ~Deflate() { deflateEnd(&stream_); }

  void forget() { deflateReset(&stream_); }
  std::string_view add(std::string_view text) {
    out_.resize(deflateBound(&stream_, static_cast<uLong>(text.size())) + 16);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_.avail_in = static_cast<uInt>(text.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    deflate(&stream_, Z_SYNC_FLUSH);
    return std::string_view(out_).substr(0, out_.size() - stream_.avail_out - kFlushTail);
  }

 private:
  z_stream stream_{};
  std::string out_;
};

class Inflate {
 public:
  Inflate() : out_(1 << 20, '\0') {
    stream_.zalloc = count_alloc;
    stream_.zfree = count_free;
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) die("inflateInit2");
  }
  Inflate(const Inflate&) = delete;
  Inflate& operator=(const Inflate&) = delete;
  ~Inflate() { inflateEnd(&stream_); }

  void forget() { inflateReset(&stream_); }
  std::size_t add(std::string message) {
    message.append("\0\0\xFF\xFF", kFlushTail);
    stream_.next_in = reinterpret_cast<Bytef*>(message.data());
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out_.data());
    stream_.avail_out = static_cast<uInt>(out_.size());
    inflate(&stream_, Z_SYNC_FLUSH);
    return out_.size() - stream_.avail_out;
  }

 private:
  z_stream stream_{};
  std::string out_;
};

double cpu_us() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

bool is_continuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Messages as a room's subscribers get them, of some `text_bytes` of prose each.
std::vector<Message> make_messages(std::string_view prose, std::size_t text_bytes) {
  std::mt19937 random(1);
  std::vector<Message> messages;
  for (std::size_t i = 0; i < kMessages; ++i) {
    std::size_t begin = random() % (prose.size() - text_bytes);
    while (begin > 0 && is_continuation(prose[begin])) --begin;
    std::size_t end = begin + text_bytes;
    while (end > begin && is_continuation(prose[end])) --end;
    std::string text;
    for (const char c : prose.substr(begin, end - begin)) {
      if (c == '"' || c == '\\') text.push_back('\\');
      if (c == '\n') {
        text += "\\n";
      } else {
        text.push_back(c);
      }
    }
    const auto uuid = [&](unsigned person) {
      std::mt19937 digits(person);
      return fmt::format("{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}", digits(), digits() & 0xFFFF,
                         digits() & 0xFFF, digits() & 0xFFF, digits());
    };
    const unsigned person = static_cast<unsigned>(random() % 20);
    Message message;
    message.body = fmt::format(
        R"({{"id":{0},"message":"{1}","randId":"옥수수{2}","nameTag":"#{3:06X}",)"
        R"("createdAt":"2026-11-22T21:{4:02}:{5:02}.{6:03}Z","ipAddress":"203.0","senderId":"{7}"}})",
        i + 1, text, person, person * 7919, i / 60 % 60, i % 60, random() % 1000, uuid(person));
    message.body.push_back('\0');
    message.head = fmt::format(
        "MESSAGE\nsubscription:sub-0\ndestination:/sub/channel/{0}\nmessage-id:{0}-{1}\n"
        "content-type:application/json\nid:{1}\nepoch:ab51570537fa47d7\ncontent-length:{2}\n\n",
        uuid(999), i + 1, message.body.size() - 1);
    messages.push_back(std::move(message));
  }
  return messages;
}

struct Cost {
  double bytes = 0;
  double deflate_us = 0;
  double inflate_us = 0;
};

enum class Mode { takeover, alone, stored_head, own_head };

Cost measure(const std::vector<Message>& messages, const Shape& shape, Mode mode) {
  Deflate deflate(shape);
  Inflate inflate;
  std::vector<std::string> sent;
  const double begin = cpu_us();
  for (const Message& message : messages) {
    std::string out;
    switch (mode) {
      case Mode::takeover:
        out = deflate.add(message.head + message.body);
        break;
      case Mode::alone:
        deflate.forget();
        out = deflate.add(message.head + message.body);
        break;
      case Mode::own_head:
        deflate.forget();
        out = deflate.add(message.head);
        out.append("\0\0\xFF\xFF", kFlushTail);
        deflate.forget();
        out += deflate.add(message.body);
        break;
      case Mode::stored_head:
        deflate.forget();
        out = std::string(5, '\0');
        out[1] = static_cast<char>(message.head.size() & 0xFF);
        out[2] = static_cast<char>(message.head.size() >> 8);
        out[3] = static_cast<char>(~out[1]);
        out[4] = static_cast<char>(~out[2]);
        out += message.head;
        out += deflate.add(message.body);
        break;
    }
    sent.push_back(std::move(out));
  }
  const double middle = cpu_us();
  Cost cost;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    if (mode != Mode::takeover) inflate.forget();
    if (inflate.add(sent[i]) != messages[i].head.size() + messages[i].body.size()) die("not equal");
    cost.bytes += static_cast<double>(sent[i].size());
  }
  const double count = static_cast<double>(messages.size());
  cost.inflate_us = (cpu_us() - middle) / count;
  cost.deflate_us = (middle - begin) / count;
  cost.bytes /= count;
  return cost;
}

void print_memory(const Shape& shape) {
  allocated = 0;
  Deflate deflate(shape);
  const std::size_t out = allocated;
  allocated = 0;
  Inflate inflate;
  inflate.add(std::string("\x02\0", 2));
  // The window comes with the first output that must be remembered.
  Deflate other({1, 15, 8});
  allocated -= allocated;
  Inflate second;
  std::string text(100, 'x');
  second.add(std::string(other.add(text)));
  fmt::print("| {} | {} | {} | {} |\n", shape.window_bits, shape.memory_level, out >> 10,
             allocated >> 10);
}

}  // namespace

int main(int count, char** arguments) {
  std::string prose;
  for (int i = 1; i < count; ++i) {
    std::ifstream file(arguments[i], std::ios::binary);
    if (!file) die(fmt::format("{} cannot be read", arguments[i]));
    prose.append(std::istreambuf_iterator<char>(file), {});
  }
  if (prose.size() < 64 << 10) die("needs files with at least 64 KiB of prose");

  const std::vector<Shape> shapes{{1, 15, 8}, {1, 15, 6}, {1, 12, 5}, {1, 9, 5},
                                  {6, 15, 8}, {6, 12, 5}, {6, 9, 5}};
  fmt::print(
      "| text | level, window, memory | mode | plain B | sent B | deflate us | inflate us |\n"
      "| ---: | --- | --- | ---: | ---: | ---: | ---: |\n");
  for (const std::size_t text_bytes : {32U, 128U, 256U, 512U, 1024U, 8192U}) {
    const auto messages = make_messages(prose, text_bytes);
    double plain = 0;
    for (const Message& message : messages) {
      plain += static_cast<double>(message.head.size() + message.body.size());
    }
    plain /= static_cast<double>(messages.size());
    for (const Shape& shape : shapes) {
      for (const auto& [mode, name] :
           {std::pair{Mode::takeover, "takeover"}, std::pair{Mode::alone, "each alone"},
            std::pair{Mode::own_head, "head and body alone"},
            std::pair{Mode::stored_head, "head stored, body alone"}}) {
        const Cost cost = measure(messages, shape, mode);
        fmt::print("| {} | {}, {}, {} | {} | {:.0f} | {:.0f} | {:.1f} | {:.1f} |\n", text_bytes,
                   shape.level, shape.window_bits, shape.memory_level, name, plain, cost.bytes,
                   cost.deflate_us, cost.inflate_us);
      }
    }
  }
  fmt::print(
      "\n| window | memory level | takeover out, KiB a session | in, KiB a session |\n"
      "| ---: | ---: | ---: | ---: |\n");
  for (const Shape& shape : {Shape{6, 15, 8}, Shape{6, 12, 5}, Shape{6, 9, 5}}) print_memory(shape);
  return 0;
}

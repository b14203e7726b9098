// HTTP/1.1 on the loop: one connection, one request at a time, its answer's body handed on as it
// comes. Opens the connection when there is none, so that it outlives a server's keep-alive.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "loop.hpp"
#include "options.hpp"

namespace load {

// What a carrier has used, headers of HTTP included, those of TCP and IP not.
struct Tally {
  std::uint64_t connections = 0;
  std::uint64_t requests = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t bytes_in = 0;

  Tally operator+(const Tally& more) const {
    return {connections + more.connections, requests + more.requests, bytes_out + more.bytes_out,
            bytes_in + more.bytes_in};
  }
  Tally operator-(const Tally& begin) const {
    return {connections - begin.connections, requests - begin.requests, bytes_out - begin.bytes_out,
            bytes_in - begin.bytes_in};
  }
};

// Called from within a turn; must not destroy the stream, may ask it again in on_answer().
class HttpEvents {
 public:
  virtual ~HttpEvents() = default;
  virtual void on_body(std::string_view piece, std::int64_t read_ns) = 0;
  virtual void on_answer(int status) = 0;  // whole
  // The connection ended before the answer did, or what came is no HTTP.
  virtual void on_broken(const std::string& why) = 0;
};

class HttpStream final : public Endpoint {
 public:
  // `options` and `events` outlive it.
  HttpStream(Loop& loop, const Options& options, HttpEvents& events)
      : loop_(loop), options_(options), events_(events) {}
  ~HttpStream() override { close(); }
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  // A whole request; leaves at the turn's end. Not while busy().
  void ask(std::string_view request);
  bool busy() const { return state_ != State::idle; }
  const Tally& tally() const { return tally_; }

  // For the loop.
  void on_readable() override;
  void flush() override;

 private:
  enum class State : std::uint8_t { idle, head, body, chunk_size, chunk, chunk_end, trailer };

  void open();
  void close();
  // Returns how many bytes were taken; the others are of a piece that has not come whole.
  std::size_t take(std::string_view bytes, std::int64_t read_ns);
  // The line, or head, that ends so; empty while it has not come whole.
  bool take_head(std::string_view head);
  void end_answer();
  void fail(const std::string& why);

  Loop& loop_;
  const Options& options_;
  HttpEvents& events_;
  int fd_ = -1;
  State state_ = State::idle;
  bool wants_flush_ = false;
  bool watches_write_ = false;
  bool closes_ = false;  // the server says that this answer is the connection's last
  int status_ = 0;
  std::uint64_t left_ = 0;  // of the body or chunk
  std::string in_;
  std::string out_;
  Tally tally_;
};

}  // namespace load

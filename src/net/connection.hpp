// One TCP connection: bytes in to its handler, bytes out through its outbox. Its loop owns it.
// The loop's thread only.
//
// It ends in one of two ways: close_after_flush() writes what is queued, ends our direction, and
// waits a while for the peer to end his (else the kernel could throw our last bytes away); abort()
// ends at once. Either way the handler hears on_closed() once, from the loop, never from within a
// call of its own into the connection.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/address.hpp"
#include "net/detached_connection.hpp"
#include "net/loop.hpp"

namespace rtc::net {

class Connection;

enum class CloseReason : std::uint8_t {
  local,     // we closed
  peer,      // the peer closed or vanished
  overflow,  // outbox_bytes_max or outbox_time_max was reached by a peer that read too slowly
};

// What the bytes of a connection mean; the connection owns it.
class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;

  // Bytes from the peer, in the loop's read buffer: valid in this call only, may be changed in
  // place. Returns how many were taken. Fewer than given only after pause(), set_handler() or
  // close_after_flush(): the rest is kept and given again (to the new handler; after resume()).
  virtual std::size_t on_input(Connection& connection, std::span<char> bytes) = 0;
  // The peer will send no more. By default the connection is closed after what is queued is
  // written.
  virtual void on_input_end(Connection& connection);
  // All that was queued has been handed to the kernel.
  virtual void on_drained(Connection& connection);
  // The peer reads too slowly; what waited for it is forgotten. Here a last word may be said and
  // close_after_flush() be called; a connection not closing then is aborted. Never within send().
  virtual void on_overflow(Connection& connection);
  // The last call; nothing can be sent any more.
  virtual void on_closed(Connection& connection, CloseReason reason) = 0;
  virtual void on_detached(std::shared_ptr<DetachedConnection> /*detached*/) {}  // or that one
};

// What may wait in the outbox.
enum class OutboxRule : std::uint8_t {
  response,  // one answer of any size, as long as the peer goes on taking some of it
  stream,    // up to outbox_bytes_max, and nothing for longer than outbox_time_ms_max
};

struct ConnectionBounds {
  std::size_t outbox_bytes_max = 1 << 20;
  std::uint64_t outbox_time_ms_max = 30'000;  // stream: since it was empty; response: since a write
  std::uint64_t close_timeout_ms = 5000;
};

class Connection final : public Source, private Timer {
 public:
  // `fd` is a connected, non-blocking socket; `bounds` outlives the connection.
  Connection(Loop& loop, int fd, const IpAddress& peer, const ConnectionBounds& bounds,
             std::unique_ptr<ConnectionHandler> handler);
  ~Connection() override;

  // Queues bytes; they are written at the end of the loop's turn. Does nothing on a connection that
  // is closing. A peer whose socket is full while more than outbox_bytes_max wait, or for longer
  // than outbox_time_ms_max, overflows; a burst that the kernel still takes costs nobody anything.
  void send(Bytes bytes);
  void send(std::string_view text) { send(Bytes::copy(text)); }

  void set_outbox_rule(OutboxRule rule) { outbox_rule_ = rule; }  // response, until told

  void pause();   // hand no input to the handler until resume()
  void resume();  // from the handler's own call into it too
  void close_after_flush();
  void abort() { end(CloseReason::local); }
  // Leaves its loop at the turn's end, to go on in another: on_detached(). Here it is closing().
  void detach();
  void take_over(DetachedConnection& detached);  // what that one had in hand; once, when made of it
  bool closing() const { return state_ != State::open; }

  // Takes effect at once; the old handler lives until this turn's end. From on_input: the bytes not
  // taken go to the new one.
  void set_handler(std::unique_ptr<ConnectionHandler> handler);
  ConnectionHandler& handler() { return *handler_; }

  Loop& loop() { return loop_; }
  int fd() const { return fd_; }
  const IpAddress& peer() const { return peer_; }
  std::size_t queued_bytes() const { return outbox_.bytes(); }
  // Loop time of the last byte read, and of the last write that the kernel took whole or in part.
  std::uint64_t last_read_ms() const { return last_read_ms_; }
  std::uint64_t last_write_ms() const { return last_write_ms_; }

 private:
  friend class Loop;
  enum class State : std::uint8_t { open, flushing, lingering, ended };

  void on_ready(bool readable, bool writable) override;
  void on_timer() override;
  std::size_t gather(std::span<iovec> parts);
  void on_written(ssize_t result);
  void on_burial();

  void read_once();
  void feed(std::span<char> bytes);
  void feed_kept();
  void want_write();
  void watch(Interest interest);
  void linger();
  bool holds_too_much() const {
    return outbox_rule_ == OutboxRule::stream && outbox_.bytes() > bounds_.outbox_bytes_max;
  }
  void overflow();
  void end(CloseReason reason);

  Loop& loop_;
  int fd_;
  State state_ = State::open;
  CloseReason reason_ = CloseReason::local;
  bool paused_ = false;
  bool input_ended_ = false;   // the peer's FIN was read
  bool end_reported_ = false;  // and on_input_end() was called
  bool in_writers_ = false;
  OutboxRule outbox_rule_ = OutboxRule::response;
  bool overflowed_ = false;
  bool detached_ = false;
  bool stalled_ = false;  // the timer runs until the outbox is empty
  bool feeding_ = false;
  bool watches_read_ = true;
  bool watches_write_ = false;
  std::size_t index_in_loop_ = 0;
  IpAddress peer_;
  const ConnectionBounds& bounds_;
  std::unique_ptr<ConnectionHandler> handler_;
  std::unique_ptr<std::string> kept_input_;  // what a paused handler did not take
  Outbox outbox_;
  std::uint64_t last_read_ms_;
  std::uint64_t last_write_ms_;
};

}  // namespace rtc::net

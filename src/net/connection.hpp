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
#include <string_view>

#include "base/pooled.hpp"
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

class Connection final : public Source, public Pooled<Connection> {
 public:
  // `fd` is a connected, non-blocking socket.
  Connection(Loop& loop, int fd, const IpAddress& peer, std::unique_ptr<ConnectionHandler> handler);
  ~Connection();

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
  const IpAddress& client() const { return client_; }  // the peer, until told whom a proxy serves
  void set_client(const IpAddress& client) { client_ = client; }
  std::size_t queued_bytes() const { return outbox_.bytes(); }
  // Loop time of the last byte read; of the last write that the kernel took, if only in part.
  std::uint64_t last_read_ms() const { return full_ms(last_read_ms_); }
  std::uint64_t last_write_ms() const { return full_ms(last_write_ms_); }

 private:
  friend class Loop;
  enum class State : std::uint8_t { open, flushing, lingering, ended };
  class Rare;  // what few connections need, and few at a time

  void on_ready(bool readable, bool writable) override;
  void on_timer();
  std::size_t gather(std::span<iovec> parts);
  void on_written(ssize_t result);
  void on_burial();

  void read_once();
  void feed(std::span<char> bytes);
  void feed_kept();
  void want_write();
  void watch(Interest interest);
  void linger();
  void end_stall();
  bool holds_too_much() const;
  bool keeps_input() const;
  void keep_input(std::span<const char> bytes);
  Rare& rare();
  void rest();  // gives it up when nothing of it is left
  void arm(std::uint64_t delay_ms);
  // A time of the last 49 days, of which the lower half is kept.
  std::uint32_t now_short() const { return static_cast<std::uint32_t>(loop_.now_ms()); }
  std::uint64_t full_ms(std::uint32_t ms) const { return loop_.now_ms() - (now_short() - ms); }
  void overflow();
  void end(CloseReason reason);

  // An idle connection is as small as it can be: servers have many.
  Loop& loop_;
  std::unique_ptr<ConnectionHandler> handler_;
  std::unique_ptr<Rare> rare_;  // null until needed
  Outbox outbox_;
  IpAddress client_;
  int fd_;
  std::uint32_t index_in_loop_ = 0;
  std::uint32_t last_read_ms_;  // see full_ms()
  std::uint32_t last_write_ms_;
  State state_ = State::open;
  CloseReason reason_ = CloseReason::local;
  OutboxRule outbox_rule_ = OutboxRule::response;
  bool paused_ : 1 = false;
  bool input_ended_ : 1 = false;   // the peer's FIN was read
  bool end_reported_ : 1 = false;  // and on_input_end() was called
  bool in_writers_ : 1 = false;
  bool overflowed_ : 1 = false;
  bool detached_ : 1 = false;
  bool stalled_ : 1 = false;  // the timer runs until the outbox is empty
  bool feeding_ : 1 = false;
  bool watches_read_ : 1 = true;
  bool watches_write_ : 1 = false;
};

}  // namespace rtc::net

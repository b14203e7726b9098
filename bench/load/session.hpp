// One client session: socket, upgrade, CONNECT, SUBSCRIBE, then messages in and out.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "loop.hpp"
#include "options.hpp"
#include "websocket.hpp"

namespace load {

class Session;

// Called by a session from within a turn of its loop; must not destroy it.
class SessionEvents {
 public:
  virtual ~SessionEvents() = default;
  virtual void on_ready(Session& session) = 0;  // connected and subscribed
  // A MESSAGE, whole.
  virtual void on_message(Session& session, std::string_view frame) = 0;
  virtual void on_receipt(Session& session) = 0;
  virtual void on_heart_beat() = 0;
  // The connection is over. `why` is empty after a leave().
  virtual void on_closed(Session& session, const std::string& why) = 0;
};

class Session final : public Endpoint {
 public:
  struct Place {
    std::uint32_t index;  // among all sessions
    std::uint32_t room;
    const std::string& room_name;
    const std::string& token;
  };
  // Connects at once. `place`'s texts, `options` and `events` outlive it.
  Session(Loop& loop, const Options& options, SessionEvents& events, const Place& place);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Place& place() const { return place_; }
  bool ready() const { return state_ == State::ready; }
  // How often the server wants to hear something; 0: never.
  std::uint32_t beats_wanted_ms() const { return beats_wanted_ms_; }
  // When the bytes at hand were read.
  std::int64_t read_ns() const { return read_ns_; }
  // All that the socket took and gave so far, the upgrade included.
  std::uint64_t bytes_out() const { return bytes_out_; }
  std::uint64_t bytes_in() const { return bytes_in_; }

  // A whole STOMP frame or a heart-beat; leaves at the turn's end.
  void send(std::string_view stomp);
  // Closes the WebSocket properly; on_closed() when the server did too.
  void leave();
  // From now on only read() reads, what it is told to: a slow client, with a small socket buffer.
  void stop_reading();
  void read(std::size_t bytes_max);

  // For the loop.
  void on_readable() override { read(std::numeric_limits<std::size_t>::max()); }
  void flush() override;

 private:
  enum class State { upgrading, connecting, subscribing, ready, leaving, closed };

  void send_frame(websocket::Opcode opcode, std::string_view payload);
  // Returns how many bytes were taken.
  std::size_t take(std::string_view bytes);
  void on_upgraded();
  void on_frame(const websocket::Frame& frame);
  void on_stomp(std::string_view frame);
  void on_connected(std::string_view frame);
  void end(const std::string& why);

  Loop& loop_;
  const Options& options_;
  SessionEvents& events_;
  Place place_;
  int fd_;
  State state_ = State::upgrading;
  bool wants_flush_ = false;
  bool watches_write_ = false;
  bool reads_ = true;
  std::uint32_t receipts_awaited_ = 0;
  std::uint32_t beats_wanted_ms_ = 0;
  std::int64_t read_ns_ = 0;
  std::uint64_t bytes_out_ = 0;
  std::uint64_t bytes_in_ = 0;
  std::string in_;         // of a frame that has not come whole
  std::string fragments_;  // of a message that has not
  std::string out_;
};

}  // namespace load

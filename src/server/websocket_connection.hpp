// A connection after its upgrade: WebSocket frames to and from what it carries, either bare or
// within SockJS's framing. The loop's thread only.
#pragma once

#include <memory>
#include <string>

#include "base/pooled.hpp"
#include "chat/limits.hpp"
#include "net/connection.hpp"
#include "server/application.hpp"
#include "sockjs/framing.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {

class WebSocketConnection final : public net::ConnectionHandler,
                                  private SessionOutput,
                                  public Pooled<WebSocketConnection> {
 public:
  // Compressed input is taken until that much came of it in one call; the rest a tick later. So a
  // few bytes that inflate to many give their sender no more of the loop than others have.
  static constexpr std::size_t kInflatedAtOnceMax = 256 << 10;

  // Speaks at once where the framing begins with the server (SockJS's open frame). Gives its
  // place in the totals back at its end; `exempt`: the client is counted in none of an address.
  WebSocketConnection(Shard& shard, net::Connection& connection, Framing framing,
                      websocket::Deflate deflate, Carries carries, bool exempt);
  ~WebSocketConnection() override;

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_input_end(net::Connection& connection) override;
  void on_drained(net::Connection& connection) override;
  void on_overflow(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;

 private:
  // SessionOutput
  Framing framing() const override { return framing_; }
  websocket::Deflate deflate() const override { return deflate_; }
  const net::IpAddress& client() const override { return connection_.client(); }
  void send(const net::Bytes& framed) override;
  void send(std::string_view framed) override;
  void ping() override;
  void pause_input() override {
    connection_.pause();
    paused_ = true;
  }
  void resume_input() override;
  void close(std::uint16_t code, std::string_view reason) override;
  std::size_t queued_bytes() const override { return connection_.queued_bytes(); }
  std::uint64_t last_read_ms() const override { return connection_.last_read_ms(); }
  std::uint64_t last_write_ms() const override { return connection_.last_write_ms(); }

  // What only some need, or at times: SockJS's reader, the timer.
  class Rare;

  Rare& rare();
  void arm(std::uint64_t delay_ms);
  void on_timer();  // SockJS's heart-beat; input may go on; the peer did not answer our Close
  void take_input(std::span<char>& left);
  void end(std::string frames, std::uint16_t code, std::string_view reason);
  void on_data(const websocket::Event& event);
  bool take_control_token();
  void rest();
  void on_sockjs_message(std::string_view payload);

  // An idle connection is as small as it can be: servers have many.
  Shard& shard_;
  net::Connection& connection_;
  std::unique_ptr<Application> application_;
  std::unique_ptr<websocket::Decoder> decoder_;  // null between messages: the shard lends one
  std::unique_ptr<Rare> rare_;                   // null until needed
  chat::TokenBucket control_rate_;
  Framing framing_;
  websocket::Deflate deflate_;
  bool paused_ : 1 = false;   // by the session
  bool resting_ : 1 = false;  // by rest(), until the timer
  bool close_sent_ : 1 = false;
  bool exempt_ : 1;
  bool rate_exempt_ : 1;
};

}  // namespace rtc::server

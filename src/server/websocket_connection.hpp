// A connection after its upgrade: WebSocket frames to and from what it carries, either bare or
// within SockJS's framing. The loop's thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/connection.hpp"
#include "server/application.hpp"
#include "sockjs/framing.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {

class WebSocketConnection final : public net::ConnectionHandler,
                                  private SessionOutput,
                                  private net::Timer {
 public:
  // Speaks at once where the framing begins with the server (SockJS's open frame). `on_gone` gives
  // back the place in the totals.
  WebSocketConnection(Shard& shard, net::Connection& connection, Framing framing, Carries carries,
                      const net::IpAddress& client, std::function<void()> on_gone);
  ~WebSocketConnection() override;

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_input_end(net::Connection& connection) override;
  void on_drained(net::Connection& connection) override;
  void on_overflow(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;

 private:
  // SessionOutput
  Framing framing() const override { return framing_; }
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

  void on_timer() override;  // SockJS's heart-beat; or the peer did not answer our Close
  void end(std::string frames, std::uint16_t code, std::string_view reason);
  void on_data(const websocket::Event& event);
  void on_sockjs_message(std::string_view payload);

  Shard& shard_;
  net::Connection& connection_;
  Framing framing_;
  bool paused_ = false;
  bool close_sent_ = false;
  websocket::Decoder decoder_;
  std::unique_ptr<Application> application_;
  sockjs::MessageReader sockjs_reader_;
  std::string sockjs_message_;  // a SockJS message whose end has not come
  std::function<void()> on_gone_;
};

}  // namespace rtc::server

#include "server/websocket_connection.hpp"

#include <utility>

#include "server/shard.hpp"
#include "sockjs/framing.hpp"
#include "websocket/encoder.hpp"

namespace rtc::server {
namespace {

constexpr std::uint16_t kSockJsGoAway = 3000;

}  // namespace

// Its timer, and of SockJS what is between two messages.
class WebSocketConnection::Rare final : public net::Timer {
 public:
  explicit Rare(WebSocketConnection& connection) : connection_(connection) {}
  sockjs::MessageReader sockjs_reader;
  std::string sockjs_message;  // of which the end has not come

 private:
  void on_timer() override { connection_.on_timer(); }
  WebSocketConnection& connection_;
};

WebSocketConnection::WebSocketConnection(Shard& shard, net::Connection& connection, Framing framing,
                                         websocket::Deflate deflate, Carries carries, bool exempt)
    : shard_(shard),
      connection_(connection),
      framing_(framing),
      deflate_(deflate),
      exempt_(exempt),
      rate_exempt_(shard.rate_exempt(connection.client())) {
  application_ = make_application(carries, shard, *this);
  connection_.set_outbox_rule(net::OutboxRule::stream);
  shard_.figures().websocket_upgrades.fetch_add(1, std::memory_order_relaxed);
  if (framing_ == Framing::sockjs) {
    std::string open;
    websocket::append_frame(open, websocket::Opcode::text, sockjs::kOpenFrame);
    connection_.send(open);
    arm(shard_.config().sockjs_heart_beat_interval_ms);
  }
  application_->on_open();
}

WebSocketConnection::~WebSocketConnection() = default;

WebSocketConnection::Rare& WebSocketConnection::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>(*this);
  return *rare_;
}

void WebSocketConnection::arm(std::uint64_t delay_ms) {
  shard_.loop().timers().arm(rare(), delay_ms);
}

std::size_t WebSocketConnection::on_input(net::Connection& /*connection*/, std::span<char> bytes) {
  if (decoder_ == nullptr) {
    decoder_ = shard_.lend_decoder(deflate_ != websocket::Deflate::off);
  }
  std::span<char> left = bytes;
  take_input(left);
  if (decoder_->between_messages()) shard_.take_decoder_back(std::move(decoder_));
  return connection_.closing() ? bytes.size() : bytes.size() - left.size();
}

// Takes bytes from the front of `left` until they are used up, or the input is to pause.
void WebSocketConnection::take_input(std::span<char>& left) {
  using Kind = websocket::Event::Kind;
  std::size_t inflated = 0;
  // A message that is being inflated is handed on to its end: the session keeps what it cannot
  // take.
  while (decoder_->inflating() || !(paused_ || resting_ || connection_.closing())) {
    const websocket::Event event = decoder_->next(left);
    switch (event.kind) {
      case Kind::need_more:
        return;
      case Kind::data:
        if (event.compressed) inflated += event.payload.size();
        on_data(event);
        if (event.message_end && inflated >= kInflatedAtOnceMax) rest();
        break;
      case Kind::ping:
        if (!take_control_token()) break;
        if (!close_sent_) {
          std::string pong;
          websocket::append_frame(pong, websocket::Opcode::pong,
                                  {event.payload.data(), event.payload.size()});
          connection_.send(pong);
        }
        break;
      case Kind::pong:
        take_control_token();  // that it came is what counts: last_read_ms()
        break;
      case Kind::close:
        // Echo the code (RFC 6455, section 5.5.1); the server then ends the TCP connection.
        close(event.code, "");
        connection_.close_after_flush();
        break;
      case Kind::error:
        close(event.code, event.reason);
        connection_.close_after_flush();
        break;
    }
  }
}

// For a ping or a pong; without one the connection ends.
bool WebSocketConnection::take_control_token() {
  const std::uint32_t rate = shard_.config().websocket_control_rate_max;
  if (rate_exempt_ || control_rate_.take({rate, rate}, shard_.loop().now_ms())) return true;
  shard_.figures().rate_limited.fetch_add(1, std::memory_order_relaxed);
  close(websocket::kClosePolicyViolation, "too many control frames");
  connection_.close_after_flush();
  return false;
}

void WebSocketConnection::rest() {
  if (close_sent_) return;
  resting_ = true;
  connection_.pause();
  arm(0);
}

void WebSocketConnection::on_data(const websocket::Event& event) {
  if (close_sent_) return;
  const std::string_view payload{event.payload.data(), event.payload.size()};
  if (framing_ == Framing::websocket) {
    application_->on_bytes(payload);
    if (event.message_end) application_->on_message_end();
    return;
  }
  // SockJS needs the message whole; most come in one stretch and are not copied.
  if (event.message_begin && event.message_end) {
    on_sockjs_message(payload);
    return;
  }
  std::string& collected = rare().sockjs_message;
  collected += payload;
  if (!event.message_end) return;
  const std::string message = std::exchange(collected, {});
  on_sockjs_message(message);
}

void WebSocketConnection::on_sockjs_message(std::string_view payload) {
  const auto messages = rare().sockjs_reader.read(payload);
  if (!messages) {
    // SockJS 0.3.3: a broken message breaks the connection, without a frame before it.
    end({}, websocket::kCloseUnsupportedData, "not a SockJS message: expected [\"...\"]");
    return;
  }
  for (const std::string& message : *messages) {
    application_->on_bytes(message);
    application_->on_message_end();
  }
}

void WebSocketConnection::on_input_end(net::Connection& connection) {
  connection.close_after_flush();
}

void WebSocketConnection::on_drained(net::Connection& /*connection*/) {
  application_->on_drained();
}

void WebSocketConnection::on_overflow(net::Connection& connection) {
  shard_.figures().slow_consumers.fetch_add(1, std::memory_order_relaxed);
  application_->end_slow();
  connection.close_after_flush();
}

void WebSocketConnection::on_closed(net::Connection& connection, net::CloseReason /*reason*/) {
  rare_.reset();
  application_.reset();
  shard_.services().totals.release(connection.client(), exempt_);
}

void WebSocketConnection::send(const net::Bytes& framed) {
  if (!close_sent_) connection_.send(framed);
}

void WebSocketConnection::send(std::string_view framed) {
  if (!close_sent_) connection_.send(framed);
}

void WebSocketConnection::ping() {
  std::string frame;
  websocket::append_frame(frame, websocket::Opcode::ping, "");
  send(frame);
}

void WebSocketConnection::resume_input() {
  if (!paused_) return;
  paused_ = false;
  if (!resting_) connection_.resume();
}

void WebSocketConnection::close(std::uint16_t code, std::string_view reason) {
  if (close_sent_) return;
  std::string frames;
  if (framing_ == Framing::sockjs) {
    std::string close_frame;
    sockjs::append_close_frame(close_frame, kSockJsGoAway, reason.empty() ? "Go away!" : reason);
    websocket::append_frame(frames, websocket::Opcode::text, close_frame);
  }
  end(std::move(frames), code, reason);
}

void WebSocketConnection::end(std::string frames, std::uint16_t code, std::string_view reason) {
  websocket::append_close(frames, code, reason);
  connection_.send(frames);
  close_sent_ = true;
  paused_ = resting_ = false;
  connection_.resume();  // for the peer's Close
  arm(shard_.config().close_timeout_ms);
}

void WebSocketConnection::on_timer() {
  if (close_sent_) {
    connection_.close_after_flush();
    return;
  }
  if (resting_) {
    resting_ = false;
    if (!paused_) connection_.resume();
  } else {
    std::string beat;
    websocket::append_frame(beat, websocket::Opcode::text, sockjs::kHeartBeatFrame);
    connection_.send(beat);
  }
  if (framing_ == Framing::sockjs) {
    arm(shard_.config().sockjs_heart_beat_interval_ms);
  }
}

}  // namespace rtc::server

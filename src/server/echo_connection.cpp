#include "server/echo_connection.hpp"

#include <array>
#include <utility>

#include "server/shard.hpp"
#include "websocket/encoder.hpp"

namespace rtc::server {

EchoConnection::EchoConnection(Shard& shard, net::Connection& connection,
                               websocket::Deflate deflate, bool exempt)
    : shard_(shard),
      connection_(connection),
      deflate_(deflate),
      decoder_(kLimits, deflate == websocket::Deflate::off ? nullptr : &shard.inflater()),
      exempt_(exempt) {}

EchoConnection::~EchoConnection() = default;

std::size_t EchoConnection::on_input(net::Connection& /*connection*/, std::span<char> bytes) {
  std::span<char> left = bytes;
  while (decoder_.inflating() || !(paused_ || connection_.closing())) {
    const websocket::Event event = decoder_.next(left);
    if (event.kind == websocket::Event::Kind::need_more) break;
    on_event(event);
    if (connection_.queued_bytes() > kQueuedBytesMax && !std::exchange(paused_, true)) {
      connection_.pause();
    }
  }
  return connection_.closing() ? bytes.size() : bytes.size() - left.size();
}

void EchoConnection::on_event(const websocket::Event& event) {
  using Kind = websocket::Event::Kind;
  const std::string_view payload{event.payload.data(), event.payload.size()};
  std::string frame;
  switch (event.kind) {
    case Kind::need_more:
    case Kind::pong:
      return;
    case Kind::data:
      message_ += payload;
      if (event.message_end) send_message(event.opcode);
      return;
    case Kind::ping:
      websocket::append_frame(frame, websocket::Opcode::pong, payload);
      connection_.send(frame);
      return;
    case Kind::close:
    case Kind::error:
      websocket::append_close(frame, event.code, event.reason);
      connection_.send(frame);
      connection_.close_after_flush();
      return;
  }
}

void EchoConnection::send_message(websocket::Opcode opcode) {
  std::string payload = std::exchange(message_, {});
  const bool compressed = deflate_ != websocket::Deflate::off;
  if (compressed) {
    std::string deflated;
    shard_.deflater().append_end(deflated, payload, deflate_);
    payload = std::move(deflated);
  }
  std::array<char, websocket::kHeaderBytesMax> header{};
  const std::size_t header_bytes =
      websocket::write_header(opcode, payload.size(), header.data(), compressed);
  connection_.send({header.data(), header_bytes});
  connection_.send(payload);
}

void EchoConnection::on_drained(net::Connection& /*connection*/) {
  if (std::exchange(paused_, false)) connection_.resume();
}

void EchoConnection::on_closed(net::Connection& connection, net::CloseReason /*reason*/) {
  shard_.services().totals.release(connection.client(), exempt_);
}

}  // namespace rtc::server

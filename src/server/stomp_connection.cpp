#include "server/stomp_connection.hpp"

#include <algorithm>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "server/shard.hpp"
#include "stomp/writer.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

// As long as a WebSocket that answers no ping: silent for one interval, gone after the second.
void ask_for_signs_of_life(int fd, std::uint64_t ping_interval_ms) {
  constexpr int kProbes = 3;
  constexpr std::uint64_t kSecondsMax = 32767;  // the kernel's own bound
  const auto idle =
      static_cast<int>(std::clamp<std::uint64_t>(ping_interval_ms / 1000, 1, kSecondsMax));
  const int between = std::max(1, idle / kProbes);
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &kProbes, sizeof kProbes);
}

}  // namespace

StompConnection::StompConnection(Shard& shard, const net::IpAddress& peer, bool exempt)
    : shard_(shard),
      peer_(peer),
      exempt_(exempt),
      session_(make_application(Carries::stomp, shard, *this)) {
  shard_.figures().stomp_connections.fetch_add(1, std::memory_order_relaxed);
}

void StompConnection::attach(net::Connection& connection) {
  connection_ = &connection;
  connection.set_outbox_rule(net::OutboxRule::stream);
  ask_for_signs_of_life(connection.fd(), shard_.config().ping_interval_ms);
}

std::size_t StompConnection::on_input(net::Connection& /*connection*/, std::span<char> bytes) {
  session_->on_bytes({bytes.data(), bytes.size()});
  return bytes.size();  // the session keeps what it cannot take yet
}

void StompConnection::on_drained(net::Connection& /*connection*/) {
  session_->on_drained();
}

void StompConnection::on_overflow(net::Connection& connection) {
  shard_.figures().slow_consumers.fetch_add(1, std::memory_order_relaxed);
  session_->end_slow();
  connection.close_after_flush();
}

void StompConnection::on_closed(net::Connection& /*connection*/, net::CloseReason /*reason*/) {
  session_.reset();
  shard_.services().totals.release(peer_, exempt_);
}

// TCP has no place for a code and a reason: where a session ends in them alone, an ERROR says why.
void StompConnection::close(std::uint16_t code, std::string_view reason) {
  if (code == websocket::kCloseGoingAway) {
    std::string frame;
    stomp::Writer(frame, stomp::Command::error, stomp::Version::v1_0)
        .header("message", reason)
        .end();
    connection_->send(frame);
  }
  connection_->close_after_flush();
}

}  // namespace rtc::server

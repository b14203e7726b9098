// A connection of the address stomp_listen: STOMP frames to and from a session, as bare TCP bytes.
// The loop's thread only.
#pragma once

#include <memory>

#include "net/connection.hpp"
#include "server/application.hpp"

namespace rtc::server {

class StompConnection final : public net::ConnectionHandler, private SessionOutput {
 public:
  // Gives its place in the totals back at its end; `exempt`: counted as such by Totals::admit().
  StompConnection(Shard& shard, const net::IpAddress& peer, bool exempt);

  // The connection that it handles; once, right after both exist. The kernel is told to ask a
  // silent peer for a sign of life: nothing above TCP can.
  void attach(net::Connection& connection);

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_drained(net::Connection& connection) override;
  void on_overflow(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;

 private:
  // SessionOutput
  Framing framing() const override { return Framing::bare; }
  const net::IpAddress& client() const override { return peer_; }
  void send(const net::Bytes& framed) override { connection_->send(framed); }
  void send(std::string_view framed) override { connection_->send(framed); }
  bool can_ping() const override { return false; }
  void ping() override {}
  void pause_input() override { connection_->pause(); }
  void resume_input() override { connection_->resume(); }
  void close(std::uint16_t code, std::string_view reason) override;
  std::size_t queued_bytes() const override { return connection_->queued_bytes(); }
  std::uint64_t last_read_ms() const override { return connection_->last_read_ms(); }
  std::uint64_t last_write_ms() const override { return connection_->last_write_ms(); }

  Shard& shard_;
  net::IpAddress peer_;
  bool exempt_;
  net::Connection* connection_ = nullptr;
  std::unique_ptr<Application> session_;
};

}  // namespace rtc::server

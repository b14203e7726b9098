// A connection while it speaks HTTP: one request at a time, in order, until it is upgraded or ends.
// The loop's thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/slot_map.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/connection.hpp"
#include "server/framing.hpp"
#include "server/sockjs_service.hpp"

namespace rtc::server {

class Shard;

// Whoever gives an answer later, or piece by piece.
class HeldResponse {
 public:
  virtual void on_response_drained() = 0;  // the kernel has all that was written of it
  virtual void on_response_gone() = 0;     // the client is gone; nothing can be written any more

 protected:
  ~HeldResponse() = default;
};

class HttpConnection final : public net::ConnectionHandler, private net::Timer {
 public:
  // `peer_exempt`: counted as such by Totals::admit().
  HttpConnection(Shard& shard, const net::IpAddress& peer, bool peer_exempt);
  ~HttpConnection() override;

  // The connection that it handles; once, right after both exist.
  void attach(net::Connection& connection);

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_input_end(net::Connection& connection) override;
  void on_drained(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;
  void on_detached(std::shared_ptr<net::DetachedConnection> detached) override;

  SlotHandle handle() const { return handle_; }  // of Shard::waiting_requests()
  // The answer to the request taken last.
  void respond(http::Response response);
  // That answer comes later: `owner`, unless null, hears when the client does not wait for it;
  // from listen_for_end() on, which may call it at once.
  void hold(HeldResponse* owner) { held_ = owner; }
  void listen_for_end();
  // That answer piece by piece: `head` has no body; pieces are not empty.
  void begin_stream(http::Response head, HeldResponse* owner);
  void write_stream(std::string_view piece);
  void end_stream();
  std::size_t queued_bytes() const { return connection_->queued_bytes(); }

  // Upgrades to WebSocket, or answers why not. Without `carries`: to the conformance profile's
  // echo.
  void upgrade(Framing framing, std::optional<Carries> carries);
  // Goes on in that shard, which is not its own: the request taken last is routed there.
  void move_to(Shard& shard);
  void take_over(http::Request request);  // there
  // Whether pages of that origin may use this server.
  bool origin_allowed(std::string_view origin) const;
  // The server goes down.
  void shut_down();

 private:
  void on_timer() override;
  void on_request();
  void route();
  void respond_error(unsigned status, const Error& error);
  void add_cors(http::Response& response) const;
  void upgrade_hixie76();
  void next_request(bool keep_alive);
  bool may_keep_alive() const;
  void go_on();

  Shard& shard_;
  net::Connection* connection_ = nullptr;
  net::IpAddress peer_;
  bool peer_exempt_;
  bool waiting_ = false;  // a request is being answered
  bool input_ended_ = false;
  bool upgraded_ = false;
  bool any_origin_ = false;
  bool chunked_ = false;  // the streamed answer
  bool behind_ = false;   // its answers wait for the client, its requests for them
  HeldResponse* held_ = nullptr;
  Shard* moves_to_ = nullptr;
  SlotHandle handle_;
  http::RequestParser parser_;
  http::Request request_;
};

}  // namespace rtc::server

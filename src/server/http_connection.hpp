// A connection while it speaks HTTP: one request at a time, in order, until it is upgraded or ends.
// The loop's thread only.
#pragma once

#include <memory>
#include <string>

#include "base/slot_map.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/connection.hpp"
#include "server/framing.hpp"

namespace rtc::server {

class Shard;

class HttpConnection final : public net::ConnectionHandler, private net::Timer {
 public:
  // `peer_exempt`: counted as such by Totals::admit().
  HttpConnection(Shard& shard, const net::IpAddress& peer, bool peer_exempt);
  ~HttpConnection() override;

  // The connection that it handles; once, right after both exist.
  void attach(net::Connection& connection);

  std::size_t on_input(net::Connection& connection, std::span<char> bytes) override;
  void on_input_end(net::Connection& connection) override;
  void on_closed(net::Connection& connection, net::CloseReason reason) override;

  // The answer to the request taken last.
  void respond(http::Response response);
  // The server goes down.
  void shut_down();

 private:
  void on_timer() override;
  void on_request();
  void route();
  void upgrade(Framing framing, bool echo = false);
  void respond_error(unsigned status, const Error& error);
  void add_cors(http::Response& response) const;
  bool origin_allowed(std::string_view origin) const;

  Shard& shard_;
  net::Connection* connection_ = nullptr;
  net::IpAddress peer_;
  bool peer_exempt_;
  bool waiting_ = false;  // a request is being answered
  bool input_ended_ = false;
  bool upgraded_ = false;
  SlotHandle handle_;
  http::RequestParser parser_;
  http::Request request_;
};

}  // namespace rtc::server

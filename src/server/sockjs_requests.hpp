// The HTTP side of SockJS: what lies below an end point's base path (docs/wire.md). The loop's
// thread only.
#pragma once

#include <string_view>

#include "http/request_parser.hpp"
#include "net/address.hpp"
#include "server/sockjs_service.hpp"

namespace rtc::server {

class HttpConnection;
class Shard;

struct SockJsCall {
  Shard& shard;
  HttpConnection& connection;
  const http::Request& request;
  const net::IpAddress& peer;
  const SockJsService& service;
  std::string_view rest;  // of the path, behind the service's base
};

// Answers through the connection, at once or as a session does; or moves the connection to the
// shard that owns the session.
void handle_sockjs(const SockJsCall& call);

// Whether a request's target is one by which a SockJS client sends: its body may be long.
bool is_sockjs_send(std::string_view target);

}  // namespace rtc::server

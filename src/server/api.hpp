// The HTTP calls of the chat: /init, /message, /chatroom (docs/wire.md). The loop's thread only,
// except where it says so.
#pragma once

#include <functional>
#include <string>

#include "base/slot_map.hpp"
#include "http/request_parser.hpp"
#include "http/response.hpp"
#include "net/address.hpp"

namespace rtc::server {

class Shard;

// Where the answer to one request goes.
struct ApiCall {
  Shard& shard;
  const http::Request& request;
  net::IpAddress client;
  SlotHandle connection;  // of Shard::waiting_requests()
};

// Whether the path is one of the API's.
bool is_api_path(std::string_view path);

// Answers through HttpConnection::respond(), at once or when the store has.
void handle_api(const ApiCall& call);

// An answer with an error's envelope.
http::Response error_response(const Error& error);

}  // namespace rtc::server

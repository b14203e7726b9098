// HttpConnection's end: the upgrade to WebSocket.
#include <array>

#include "server/api.hpp"
#include "server/conformance_hixie76.hpp"
#include "server/echo_connection.hpp"
#include "server/http_connection.hpp"
#include "server/shard.hpp"
#include "server/websocket_connection.hpp"
#include "websocket/handshake.hpp"

namespace rtc::server {
namespace {

constexpr std::array<std::string_view, 3> kSubprotocols{"v12.stomp", "v11.stomp", "v10.stomp"};

// To a request without the header Upgrade, at a path that speaks WebSocket only.
http::Response no_upgrade_asked(Framing framing) {
  if (framing == Framing::sockjs) {
    return {400,
            {{"Cache-Control", "no-store"}},
            "text/plain; charset=utf-8",
            "Can \"Upgrade\" only to \"WebSocket\".\n"};
  }
  http::Response response =
      error_response({ErrorCode::invalid_parameter, "this path speaks WebSocket: upgrade"});
  response.status = 426;
  response.headers.emplace_back("Upgrade", "websocket");
  return response;
}

}  // namespace

void HttpConnection::upgrade(Framing framing, std::optional<Carries> carries) {
  const std::string origin = request_.header("Origin");
  if (!origin.empty() && !origin_allowed(origin)) {
    respond(error_response({ErrorCode::forbidden_access,
                            "pages of this origin may not connect; see allowed_origins"}));
    return;
  }
  if (carries != Carries::stomp && Hixie76Handshake::asked(request_)) {
    upgrade_hixie76();
    return;
  }
  const std::string upgrade = request_.header("Upgrade");
  if (!websocket::wants_websocket(upgrade)) {
    respond(no_upgrade_asked(framing));
    return;
  }
  const net::IpAddress client = net::client_address(peer_, request_.header("X-Forwarded-For"),
                                                    shard_.services().trusted_proxies);
  if (!shard_.take_request_token(client)) {
    respond(error_response(
        {ErrorCode::too_many_requests, "too many requests from your address; wait a moment"}));
    return;
  }
  if (const auto banned = shard_.ban_of({}, client)) {
    respond(error_response(*banned));
    return;
  }
  const std::string connection_header = request_.header("Connection");
  const std::string key = request_.header("Sec-WebSocket-Key");
  const std::string version = request_.header("Sec-WebSocket-Version");
  const std::string protocol = request_.header("Sec-WebSocket-Protocol");
  const std::string extensions =
      shard_.config().websocket_deflate ? request_.header("Sec-WebSocket-Extensions") : "";
  websocket::UpgradeAnswer answer;
  websocket::Refusal refusal;
  if (!websocket::accept_upgrade({request_.method, request_.version, upgrade, connection_header,
                                  key, version, protocol, extensions},
                                 kSubprotocols, answer, refusal)) {
    http::Response response = error_response(refusal.error);
    if (refusal.wrong_version) {
      response.status = 426;
      response.headers.emplace_back("Sec-WebSocket-Version", "13");
    }
    respond(std::move(response));
    return;
  }
  Totals& totals = shard_.services().totals;
  const bool behind_proxy = client != peer_ && !shard_.rate_exempt(client);
  if (behind_proxy && !totals.admit_client(client, shard_.config())) {
    respond(error_response(
        {ErrorCode::too_many_requests, "too many connections from your address; close some"}));
    return;
  }
  http::Response response{101,
                          {{"Upgrade", "websocket"},
                           {"Connection", "Upgrade"},
                           {"Sec-WebSocket-Accept", answer.accept}},
                          "",
                          ""};
  if (!answer.protocol.empty()) {
    response.headers.emplace_back("Sec-WebSocket-Protocol", answer.protocol);
  }
  if (!answer.extensions.header.empty()) {
    response.headers.emplace_back("Sec-WebSocket-Extensions", answer.extensions.header);
  }
  connection_->send(http::serialize(response, {}));
  upgraded_ = true;
  net::Connection& connection = *connection_;
  // From here on the connection is the client's. One that is not counted may be the proxy's.
  connection.set_client(client);
  const bool exempt = peer_exempt_ && !behind_proxy;
  const auto deflate = answer.extensions.deflate;
  if (!carries) {
    connection.set_handler(std::make_unique<EchoConnection>(shard_, connection, deflate, exempt));
  } else {
    connection.set_handler(std::make_unique<WebSocketConnection>(shard_, connection, framing,
                                                                 deflate, *carries, exempt));
  }
  connection.resume();
}

void HttpConnection::upgrade_hixie76() {
  upgraded_ = true;
  net::Connection& connection = *connection_;
  connection.set_handler(std::make_unique<Hixie76Handshake>(
      connection, request_, shard_.services().totals, peer_exempt_));
  connection.resume();
}

}  // namespace rtc::server

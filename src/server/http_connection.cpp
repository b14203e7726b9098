// The upgrade is in http_upgrade.cpp.
#include "server/http_connection.hpp"

#include <algorithm>
#include <utility>

#include "server/api.hpp"
#include "server/envelope.hpp"
#include "server/shard.hpp"
#include "server/sockjs_requests.hpp"
#include "server/static_files.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kStompPath = "/ws";
constexpr std::string_view kEchoPath = "/websocket_echo";  // in the conformance profile only

http::Response text_response(unsigned status, std::string text) {
  return {status, {{"Cache-Control", "no-store"}}, "text/plain; charset=utf-8", std::move(text)};
}

// Ready also while the store fails: what reads goes on, and only a commit that works ends the
// failure (docs/adr/0011-ready-while-the-store-fails.md).
http::Response readiness(Services& services) {
  if (services.draining.load(std::memory_order_relaxed)) {
    return text_response(503, "shutting down\n");
  }
  const std::string reason = services.store.health().reason();
  return text_response(
      200, reason.empty() ? "ready\n" : "ready to read; messages are not stored: " + reason + "\n");
}

http::RequestLimits request_limits(const Config& config) {
  return {config.http_target_bytes_max, config.http_header_bytes_max, config.http_body_bytes_max,
          config.websocket_message_bytes_max, is_sockjs_send};
}

}  // namespace

HttpConnection::HttpConnection(Shard& shard, const net::IpAddress& peer, bool peer_exempt)
    : shard_(shard),
      peer_(peer),
      peer_exempt_(peer_exempt),
      handle_(shard.waiting_requests().add(*this)),
      parser_(request_limits(shard.config())) {
  shard_.loop().timers().arm(*this, shard_.config().request_timeout_ms);
}

HttpConnection::~HttpConnection() {
  shard_.waiting_requests().remove(handle_);
}

void HttpConnection::attach(net::Connection& connection) {
  connection_ = &connection;
}

std::size_t HttpConnection::on_input(net::Connection& connection, std::span<char> bytes) {
  if (held_ != nullptr) {
    connection.pause();  // the next request waits; only the end was listened for
    return 0;
  }
  std::span<const char> rest = bytes;
  const bool began = parser_.in_request();
  switch (parser_.next(rest)) {
    case http::RequestParser::Step::need_more:
      if (!began) shard_.loop().timers().arm(*this, shard_.config().request_timeout_ms);
      break;
    case http::RequestParser::Step::expects_continue:
      connection.send(http::kContinue);
      break;
    case http::RequestParser::Step::request:
      on_request();
      break;
    case http::RequestParser::Step::error:
      waiting_ = true;
      request_ = parser_.take_head();
      request_.keep_alive = false;
      respond_error(parser_.error_status(),
                    {parser_.error_status() == 413 ? ErrorCode::payload_too_large
                                                   : ErrorCode::invalid_parameter,
                     parser_.error_text()});
      break;
  }
  return bytes.size() - rest.size();
}

void HttpConnection::on_request() {
  cancel();
  shard_.figures().http_requests.fetch_add(1, std::memory_order_relaxed);
  request_ = parser_.take_request();
  waiting_ = true;
  connection_->pause();  // a second request waits its turn
  if (request_.version == 11 && request_.header("Host").empty()) {
    request_.keep_alive = false;
    respond_error(400, {ErrorCode::invalid_parameter, "HTTP/1.1 needs the header Host"});
    return;
  }
  if (request_.path.empty()) {
    respond_error(400, {ErrorCode::invalid_parameter, "the request's target is malformed"});
    return;
  }
  route();
}

void HttpConnection::route() {
  const std::string_view path = request_.path;
  const bool reads = request_.method == "GET" || request_.method == "HEAD";
  if (is_api_path(path)) {
    const net::IpAddress client = net::client_address(peer_, request_.header("X-Forwarded-For"),
                                                      shard_.services().trusted_proxies);
    handle_api({shard_, request_, client, handle_});
    return;
  }
  if (const auto sockjs = find_sockjs(shard_.services().sockjs, path)) {
    any_origin_ = sockjs->first->any_origin;
    handle_sockjs({shard_, *this, request_, peer_, *sockjs->first, sockjs->second});
    return;
  }
  const bool echo = path == kEchoPath && shard_.config().conformance;
  const bool known = path == kStompPath || echo || path == "/healthz" || path == "/readyz" ||
                     path == "/metrics" || shard_.services().files.has(path);
  if (!known) {
    respond(error_response({ErrorCode::not_found, "there is nothing at this path"}));
  } else if (request_.method == "OPTIONS") {
    respond({204, {{"Allow", "GET, HEAD, OPTIONS"}}, "", ""});
  } else if (!reads) {
    http::Response response =
        error_response({ErrorCode::method_not_allowed, "this path takes GET, HEAD, OPTIONS"});
    response.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
    respond(std::move(response));
  } else if (path == kStompPath) {
    upgrade(Framing::websocket, Carries::stomp);
  } else if (echo) {
    upgrade(Framing::websocket, std::nullopt);
  } else if (path == "/healthz") {
    respond(text_response(200, "ok\n"));
  } else if (path == "/readyz") {
    respond(readiness(shard_.services()));
  } else if (path == "/metrics") {
    const net::IpAddress client = net::client_address(peer_, request_.header("X-Forwarded-For"),
                                                      shard_.services().trusted_proxies);
    if (net::any_contains(shard_.services().metrics_allowed, client)) {
      respond(
          {200, {}, "text/plain; version=0.0.4; charset=utf-8", shard_.services().metrics_text()});
    } else {
      respond(error_response({ErrorCode::not_found, "there is nothing at this path"}));
    }
  } else {
    respond(shard_.services().files.get(request_));
  }
}

void HttpConnection::respond(http::Response response) {
  if (!waiting_ || connection_->closing()) return;
  add_cors(response);
  const bool keep_alive = may_keep_alive();
  const auto body = request_.method == "HEAD" ? http::Body::none : http::Body::whole;
  connection_->send(http::serialize(response, {keep_alive, body}));
  next_request(keep_alive);
}

bool HttpConnection::may_keep_alive() const {
  return request_.keep_alive && !input_ended_ &&
         !shard_.services().draining.load(std::memory_order_relaxed);
}

void HttpConnection::next_request(bool keep_alive) {
  waiting_ = false;
  held_ = nullptr;
  if (!keep_alive) {
    connection_->close_after_flush();
    return;
  }
  parser_.restart();
  if (connection_->queued_bytes() > shard_.config().outbox_bytes_max) {
    // One who asks without reading holds that much and one answer, not the sum of all.
    behind_ = true;
    shard_.figures().http_pauses.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  go_on();
}

void HttpConnection::go_on() {
  shard_.loop().timers().arm(*this, shard_.config().keep_alive_timeout_ms);
  connection_->resume();
}

void HttpConnection::listen_for_end() {
  if (held_ != nullptr) connection_->resume();
}

void HttpConnection::begin_stream(http::Response head, HeldResponse* owner) {
  add_cors(head);
  chunked_ = request_.version == 11;
  request_.keep_alive = request_.keep_alive && chunked_;
  connection_->send(http::serialize(
      head, {may_keep_alive(), chunked_ ? http::Body::chunked : http::Body::until_close}));
  hold(owner);
}

void HttpConnection::write_stream(std::string_view piece) {
  if (chunked_) {
    connection_->send(http::chunk(piece));
  } else {
    connection_->send(piece);
  }
}

void HttpConnection::end_stream() {
  if (!waiting_ || connection_->closing()) return;
  if (chunked_) connection_->send(http::kLastChunk);
  next_request(may_keep_alive());
}

void HttpConnection::move_to(Shard& shard) {
  moves_to_ = &shard;
  connection_->detach();
}

void HttpConnection::on_detached(std::shared_ptr<net::DetachedConnection> detached) {
  moves_to_->loop().post([shard = moves_to_, detached = std::move(detached), exempt = peer_exempt_,
                          request = std::move(request_)]() mutable {
    shard->take_over(*detached, exempt, std::move(request));
  });
}

void HttpConnection::take_over(http::Request request) {
  cancel();
  request_ = std::move(request);
  waiting_ = true;
  connection_->pause();
  route();
}

void HttpConnection::respond_error(unsigned status, const Error& error) {
  http::Response response = error_response(error);
  response.status = status;
  respond(std::move(response));
}

bool HttpConnection::origin_allowed(std::string_view origin) const {
  if (any_origin_) return true;
  const auto& allowed = shard_.config().allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return true;
  // The page's own origin: what the browser calls this server.
  const std::string host = request_.header("Host");
  return origin == "http://" + host || origin == "https://" + host;
}

void HttpConnection::add_cors(http::Response& response) const {
  // Also without an Origin: a cache must not give that answer to a page of another one.
  response.headers.emplace_back("Vary", "Origin");
  const std::string origin = request_.header("Origin");
  if (origin.empty() || !origin_allowed(origin)) return;
  response.headers.emplace_back("Access-Control-Allow-Origin", origin);
  response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  const auto is_methods = [](const auto& header) {
    return header.first == "Access-Control-Allow-Methods";
  };
  if (request_.method != "OPTIONS" ||
      std::any_of(response.headers.begin(), response.headers.end(), is_methods)) {
    return;  // or the path has said so itself
  }
  response.headers.emplace_back("Access-Control-Allow-Methods",
                                "GET, POST, PUT, DELETE, PATCH, OPTIONS");
  response.headers.emplace_back(
      "Access-Control-Allow-Headers",
      "Authorization, X-Client-IP, ngrok-skip-browser-warning, Content-Type");
  response.headers.emplace_back("Access-Control-Max-Age", "600");
}

void HttpConnection::on_input_end(net::Connection& connection) {
  input_ended_ = true;
  if (held_ != nullptr)
    std::exchange(held_, nullptr)->on_response_gone();
  else if (waiting_)
    return;
  connection.close_after_flush();
}

void HttpConnection::on_drained(net::Connection& /*connection*/) {
  if (held_ != nullptr) held_->on_response_drained();
  if (std::exchange(behind_, false)) go_on();
}

void HttpConnection::on_closed(net::Connection& /*connection*/, net::CloseReason /*reason*/) {
  cancel();
  if (held_ != nullptr) std::exchange(held_, nullptr)->on_response_gone();
  if (!upgraded_) shard_.services().totals.release(peer_, peer_exempt_);
}

void HttpConnection::on_timer() {
  if (!parser_.in_request()) {
    connection_->close_after_flush();
    return;
  }
  waiting_ = true;
  request_ = parser_.take_head();
  request_.keep_alive = false;
  respond_error(408, {ErrorCode::connection_timeout, "the request did not arrive in time"});
}

void HttpConnection::shut_down() {
  if (!waiting_) connection_->close_after_flush();
}

}  // namespace rtc::server

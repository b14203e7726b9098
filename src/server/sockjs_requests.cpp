#include "server/sockjs_requests.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/sha.h>
#include <string>

#include "base/random.hpp"
#include "server/api.hpp"
#include "server/bearer.hpp"
#include "server/http_connection.hpp"
#include "server/shard.hpp"
#include "server/sockjs_session.hpp"
#include "sockjs/framing.hpp"
#include "sockjs/transport.hpp"

namespace rtc::server {
namespace {

using sockjs::Transport;

constexpr std::time_t kYearSeconds = 365 * 24 * 60 * 60;
constexpr std::string_view kPlainText = "text/plain; charset=UTF-8";
constexpr std::string_view kCookie = "JSESSIONID";
// Of StaticFiles; web/build/sockjs-client.ts puts it there.
constexpr std::string_view kClientPath = "/assets/sockjs-client-1.6.1.js";

http::Response text_response(unsigned status, std::string text) {
  return {status, {}, std::string(kPlainText), std::move(text)};
}

http::Response not_found() {
  return error_response({ErrorCode::not_found, "there is nothing at this path"});
}

void let_cache_for_a_year(http::Response& response) {
  response.headers.emplace_back("Cache-Control", "public, max-age=" + std::to_string(kYearSeconds));
  response.headers.emplace_back("Expires", http::http_date(std::time(nullptr) + kYearSeconds));
}

void forbid_caching(http::Response& response) {
  response.headers.emplace_back("Cache-Control",
                                "no-store, no-cache, no-transform, must-revalidate, max-age=0");
}

bool is_token_text(std::string_view text, std::string_view extra) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != extra.npos;
  });
}

// Answered before the request itself is allowed by a browser (CORS).
http::Response preflight(const http::Request& request, std::string_view methods) {
  http::Response response{204, {{"Allow", std::string(methods)}}, "", ""};
  let_cache_for_a_year(response);
  response.headers.emplace_back("Access-Control-Allow-Methods", methods);
  response.headers.emplace_back("Access-Control-Max-Age", std::to_string(kYearSeconds));
  const std::string wanted = request.header("Access-Control-Request-Headers");
  if (!wanted.empty() && is_token_text(wanted, "-_, ")) {
    response.headers.emplace_back("Access-Control-Allow-Headers", wanted);
  }
  return response;
}

// Sets JSESSIONID to what the client has, or to something, for balancers that go by it.
void add_cookie(const SockJsCall& call, http::Response& response) {
  if (!call.service.cookie) return;
  std::string value = "dummy";
  const std::string cookies = call.request.header("Cookie");
  const std::string name = std::string(kCookie) + "=";
  for (std::string_view rest = cookies; !rest.empty();) {
    const std::string_view pair = rest.substr(0, rest.find(';'));
    if (pair.starts_with(name) && is_token_text(pair.substr(name.size()), "-_.")) {
      value = pair.substr(name.size());
    }
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    while (rest.starts_with(' ')) rest.remove_prefix(1);
  }
  response.headers.emplace_back("Set-Cookie", name + value + "; path=/");
}

// Who may put our page into a frame: a page there can speak to us through it.
std::string frame_policy(const SockJsCall& call) {
  std::string policy = "frame-ancestors 'self'";
  for (const std::string& origin : call.shard.config().allowed_origins) policy += " " + origin;
  return policy;
}

// Whether a page may ask. Scripts and frames (jsonp, htmlfile, the iframe page) are asked for
// without an Origin: then the Referer tells it, or the browser that it is not ours.
bool page_allowed(const SockJsCall& call) {
  const std::string origin = call.request.header("Origin");
  if (!origin.empty()) return call.connection.origin_allowed(origin);
  const std::string referer = call.request.header("Referer");
  const auto host = referer.find("://");
  if (host != std::string::npos) {
    return call.connection.origin_allowed(
        std::string_view(referer).substr(0, referer.find('/', host + 3)));
  }
  const std::string site = call.request.header("Sec-Fetch-Site");
  return call.service.any_origin || (site != "cross-site" && site != "same-site") ||
         call.request.header("Sec-Fetch-Mode") == "navigate";
}

// Whether the method is this one; else the answer is given here.
bool check_method(const SockJsCall& call, std::string_view method) {
  const std::string& asked = call.request.method;
  if (asked == method ||
      (asked == "HEAD" && method == "GET" && call.rest.find('/', 1) == call.rest.npos)) {
    return true;
  }
  const std::string methods = "OPTIONS, " + std::string(method);
  if (asked == "OPTIONS") {
    call.connection.respond(preflight(call.request, methods));
  } else {
    call.connection.respond({405, {{"Allow", methods}}, "", ""});
  }
  return false;
}

void answer_info(const SockJsCall& call) {
  std::uint32_t entropy = 0;
  fill_random({reinterpret_cast<std::uint8_t*>(&entropy), sizeof entropy});
  http::Response response{200,
                          {},
                          "application/json; charset=UTF-8",
                          sockjs::info_body(call.service.websocket, call.service.cookie, entropy)};
  forbid_caching(response);
  call.connection.respond(std::move(response));
}

void answer_iframe(const SockJsCall& call) {
  const std::string page = sockjs::iframe_page(kClientPath);
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(page.data()), page.size(), digest.data());
  const std::string etag =
      fmt::format("\"{:02x}\"", fmt::join(digest.begin(), digest.begin() + 8, ""));
  http::Response response{200, {{"ETag", etag}}, "text/html; charset=UTF-8", page};
  let_cache_for_a_year(response);
  // Nothing from elsewhere; the script in the page is the protocol's.
  response.headers.emplace_back("Content-Security-Policy",
                                frame_policy(call) + "; default-src 'self' 'unsafe-inline'");
  if (call.request.header("If-None-Match") == etag) {
    response.status = 304;
    response.body.clear();
  }
  call.connection.respond(std::move(response));
}

// The request is for a session over HTTP: to the shard that owns it.
class SessionCall {
 public:
  SessionCall(const SockJsCall& call, Transport transport, std::string_view session)
      : call_(call),
        transport_(transport),
        client_(net::client_address(call.peer, call.request.header("X-Forwarded-For"),
                                    call.shard.services().trusted_proxies)),
        session_(session),
        key_(SockJsSessions::key(call.service, session, client_)) {}

  void handle() {
    const std::size_t bytes_min = call_.shard.config().sockjs_session_id_bytes_min;
    if (session_.size() < bytes_min) {
      call_.connection.respond(error_response(
          {ErrorCode::invalid_parameter,
           fmt::format("the session's id is too short: at least {} bytes, please", bytes_min)}));
      return;
    }
    const auto& shards = call_.shard.services().shards;
    Shard& owner = *shards[SockJsSessions::owner(key_, shards.size())];
    if (&owner != &call_.shard) {
      call_.connection.move_to(owner);
    } else if (!may_use()) {
      if (!take_request_token()) return;
      call_.connection.respond(
          error_response({ErrorCode::forbidden_access, "this session is another identity's"}));
    } else if (sockjs::receives(transport_)) {
      receive();
    } else {
      send();
    }
  }

 private:
  // A request need not say whose it is, but if it does, the session must be his (ADR 12). What is
  // no token of ours says nothing: proxies have their own Authorization.
  bool may_use() const {
    const std::string header = call_.request.header("Authorization");
    const std::string_view token = bearer_token(header);
    const SockJsSession* const session = token.empty() ? nullptr : call_.shard.sockjs().find(key_);
    if (session == nullptr) return true;
    const auto check = call_.shard.services().tokens.check(token, std::time(nullptr));
    return check.verdict == chat::TokenCheck::Verdict::invalid ||
           session->may_be(check.identity.id);
  }

  // For a request that finds no session, or another's: ids cannot be tried out faster than this.
  bool take_request_token() const {
    if (call_.shard.take_request_token(client_)) return true;
    call_.connection.respond(error_response(
        {ErrorCode::too_many_requests, "too many requests from your address; wait a moment"}));
    return false;
  }

  void receive() {
    std::string callback;
    if (sockjs::needs_callback(transport_)) {
      const auto parameter = call_.request.parameter("c");
      if (!parameter || !sockjs::is_callback(*parameter)) {
        call_.connection.respond(text_response(500, parameter
                                                        ? "invalid \"callback\" parameter\n"
                                                        : "\"callback\" parameter required\n"));
        return;
      }
      callback = *parameter;
    }
    SockJsSession* session = call_.shard.sockjs().find(key_);
    if (session == nullptr) session = open();
    if (session == nullptr) return;
    http::Response head{200, {}, std::string(sockjs::content_type(transport_)), ""};
    forbid_caching(head);
    add_cookie(call_, head);
    if (transport_ == Transport::htmlfile) {
      head.headers.emplace_back("Content-Security-Policy", frame_policy(call_));
    }
    session->receive(SockJsAnswer(call_.connection, transport_, std::move(callback),
                                  std::move(head), call_.service.response_bytes_max));
  }

  // A new session, or null and the answer was given.
  SockJsSession* open() {
    if (!take_request_token()) return nullptr;
    if (const auto banned = call_.shard.ban_of({}, client_)) {
      call_.connection.respond(error_response(*banned));
      return nullptr;
    }
    SockJsSession* const session =
        call_.shard.sockjs().open(call_.shard, call_.service, key_, client_);
    if (session == nullptr) {
      call_.connection.respond(
          error_response({ErrorCode::too_many_requests, "too many SockJS sessions; close some"}));
    }
    return session;
  }

  void send() {
    SockJsSession* const session = call_.shard.sockjs().find(key_);
    if (session == nullptr || session->has_ended()) {
      if (take_request_token()) call_.connection.respond(not_found());
      return;
    }
    if (session->is_full()) {
      call_.connection.respond(error_response(
          {ErrorCode::server_overload, "what this session sent before is not taken yet"}));
      return;
    }
    const bool form = transport_ == Transport::jsonp_send;
    const std::string payload =
        form ? sockjs::form_payload(call_.request.header("Content-Type"), call_.request.body)
             : call_.request.body;
    if (payload.empty()) {
      call_.connection.respond(text_response(500, "Payload expected.\n"));
      return;
    }
    http::Response accepted = form ? text_response(200, "ok") : http::Response{204, {}, "", ""};
    // The protocol wants the type of an empty answer, too.
    if (!form) accepted.headers.emplace_back("Content-Type", kPlainText);
    forbid_caching(accepted);
    add_cookie(call_, accepted);
    if (!session->take(call_.connection, payload, std::move(accepted))) {
      call_.connection.respond(text_response(500, "Broken JSON encoding.\n"));
    }
  }

  const SockJsCall& call_;
  Transport transport_;
  net::IpAddress client_;
  std::string_view session_;
  std::string key_;
};

void handle_session(const SockJsCall& call, const sockjs::SessionPath& path) {
  const auto transport = sockjs::parse_transport(path.transport);
  if (!transport || (transport == Transport::websocket && !call.service.websocket)) {
    call.connection.respond(not_found());
  } else if (check_method(call, sockjs::is_get(*transport) ? "GET" : "POST")) {
    if (transport == Transport::websocket) {
      call.connection.upgrade(Framing::sockjs, call.service.carries);
    } else {
      SessionCall(call, *transport, path.session).handle();
    }
  }
}

}  // namespace

void handle_sockjs(const SockJsCall& call) {
  const std::string_view rest = call.rest;
  if (!page_allowed(call)) {
    call.connection.respond(error_response({ErrorCode::forbidden_access,
                                            "pages of this origin may not connect; see "
                                            "allowed_origins"}));
  } else if (const auto path = sockjs::parse_session_path(rest)) {
    handle_session(call, *path);
  } else if (rest == "/websocket" && call.service.websocket) {
    if (check_method(call, "GET"))
      call.connection.upgrade(Framing::websocket, call.service.carries);
  } else if (rest == "/info") {
    if (check_method(call, "GET")) answer_info(call);
  } else if (sockjs::is_iframe_path(rest)) {
    if (check_method(call, "GET")) answer_iframe(call);
  } else if (rest.empty() || rest == "/") {
    if (check_method(call, "GET"))
      call.connection.respond(text_response(200, "Welcome to SockJS!\n"));
  } else {
    call.connection.respond(not_found());
  }
}

bool is_sockjs_send(std::string_view target) {
  const std::string_view path = target.substr(0, target.find('?'));
  return path.ends_with("/xhr_send") || path.ends_with("/jsonp_send");
}

}  // namespace rtc::server

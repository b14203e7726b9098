// The HTTP calls of the token, history and people; and which path is whose.
#include "server/api.hpp"

#include <array>
#include <charconv>
#include <limits>

#include "base/clock.hpp"
#include "chat/rules.hpp"
#include "server/api_call.hpp"
#include "server/bearer.hpp"
#include "server/envelope.hpp"
#include "server/http_connection.hpp"
#include "server/shard.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kNotRead = "the history could not be read";
constexpr const char* kTooMuchWaits = "too much is waiting; try again in a while";

http::Response json_response(unsigned status, std::string body) {
  return {status, {{"Cache-Control", "no-store"}}, std::string(kJson), std::move(body)};
}

// A whole number, as near as T comes to it: one beyond T is T's least or most.
template <class T>
std::optional<T> whole_number(std::string_view text) {
  T number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem == std::errc::invalid_argument || end != text.data() + text.size()) return {};
  if (problem != std::errc::result_out_of_range) return number;
  return text.front() == '-' ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
}

std::string new_token(const ApiCall& call) {
  Services& services = call.shard.services();
  const chat::Identity identity = services.new_identity(
      call.request.header("Accept-Language"), chat::mask_address(call.client.to_string()));
  return json_string(services.tokens.issue(identity, unix_ms() / 1000));
}

// To the request's connection, if it is there still. Any thread.
void answer_later(Shard& shard, SlotHandle connection, http::Response response) {
  shard.loop().post([&shard, connection, response = std::move(response)]() mutable {
    if (auto* const waiting = shard.waiting_requests().find(connection)) {
      waiting->respond(std::move(response));
    }
  });
}

// Whether that person (nil: anybody) may not call from there; then the call was answered.
bool answer_banned(const ApiCall& call, const UserId& user) {
  const auto banned = call.shard.ban_of(user, call.client);
  if (banned) answer(call, error_response(*banned));
  return banned.has_value();
}

void on_store_thread(const ApiCall& call, StoreAccess access, std::function<void()> job) {
  chat::StoreQueue& store = call.shard.services().store;
  if (!(access == StoreAccess::reads ? store.read(std::move(job)) : store.write(std::move(job)))) {
    answer(call, error_response(
                     {ErrorCode::server_overload, "too much is waiting; try again in a while"}));
  }
}

}  // namespace

http::Response success(std::string_view type, std::string_view response_json) {
  return json_response(200, success_envelope(type, response_json));
}

void answer(const ApiCall& call, http::Response response) {
  if (auto* connection = call.shard.waiting_requests().find(call.connection)) {
    connection->respond(std::move(response));
  }
}

void answer_from_store(const ApiCall& call, StoreAccess access,
                       std::function<http::Response(Services&)> work) {
  on_store_thread(call, access,
                  [&shard = call.shard, connection = call.connection, work = std::move(work)] {
                    answer_later(shard, connection, work(shard.services()));
                  });
}

http::Response store_error(Services& services, std::string_view what, const Error& error) {
  return error_response(services.store.health().call_failed(what, error));
}

std::optional<chat::Identity> authenticate(const ApiCall& call) {
  const std::string header = call.request.header("Authorization");
  const std::string_view token = bearer_token(header);
  if (token.empty()) {
    answer(call, success("SUCCESS_TOKEN_ISSUANCE", new_token(call)));
    return std::nullopt;
  }
  const chat::TokenAuthority& tokens = call.shard.services().tokens;
  chat::TokenCheck check = tokens.check(token, unix_ms() / 1000);
  if (check.verdict != chat::TokenCheck::Verdict::invalid && answer_banned(call, check.identity.id))
    return std::nullopt;
  switch (check.verdict) {
    case chat::TokenCheck::Verdict::valid:
      return std::move(check.identity);
    case chat::TokenCheck::Verdict::expired: {
      // The same person, wherever he is now.
      check.identity.address = chat::mask_address(call.client.to_string());
      const std::string renewed = tokens.issue(check.identity, unix_ms() / 1000);
      answer(call, json_response(200, error_envelope({ErrorCode::expired_token, "EXPIRED_TOKEN"},
                                                     json_string(renewed))));
      return std::nullopt;
    }
    case chat::TokenCheck::Verdict::invalid:
      break;
  }
  answer(call, json_response(401, error_envelope({ErrorCode::invalid_token,
                                                  "the token is not valid; here is a new one"},
                                                 new_token(call))));
  return std::nullopt;
}

Result<RoomId> room_parameter(const http::Request& request, std::string_view name) {
  const auto text = request.parameter(name);
  const auto id = text ? RoomId::parse(*text) : std::nullopt;
  if (!id) {
    return Error{ErrorCode::invalid_parameter, std::string(name) + ": expected the room's UUID"};
  }
  return *id;
}

Result<std::uint32_t> limit_parameter(const ApiCall& call) {
  const Config& config = call.shard.config();
  const auto text = call.request.parameter("limit");
  if (!text) return std::min(config.page_size_default, config.page_size_max);
  const auto limit = whole_number<std::int64_t>(*text);
  if (!limit) return Error{ErrorCode::invalid_parameter, "limit: expected a whole number"};
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(*limit, 1, config.page_size_max));
}

namespace {

// The answer to somebody who may not read the room, if he may not.
std::optional<http::Response> refuse_entry(const chat::Room& room, const UserId& user) {
  if (chat::may_enter(room, user)) return std::nullopt;
  return error_response({ErrorCode::forbidden_access, "this room is not yours"});
}

// The same on a thread of the store, of a room that the loop does not know; from now on it does.
std::optional<http::Response> refuse_entry(Shard& shard, const RoomId& room_id,
                                           const UserId& user) {
  Services& services = shard.services();
  const auto room = services.rooms.find(room_id);
  if (!room) return store_error(services, kNotRead, room.error());
  if (!room->has_value()) {
    return error_response({ErrorCode::not_found_chatroom, "there is no such room"});
  }
  shard.loop().post([&shard, found = **room] { shard.cache_room(found); });
  return refuse_entry(**room, user);
}

http::Response page_response(Services& services, const RoomId& room, MessageId before,
                             std::uint32_t limit) {
  const auto page = services.messages.page_before(room, before, limit);
  if (!page) return store_error(services, kNotRead, page.error());
  return success("SUCCESS_GET_CHAT_LIST", messages_json(*page, services.config.page_bytes_max));
}

void answer_all(const std::vector<PageFlights::Waiter>& waiters, http::Response response) {
  const auto shared = std::make_shared<const http::Response>(std::move(response));
  for (const PageFlights::Waiter& each : waiters) {
    each.shard->loop().post([each, shared] {
      if (auto* connection = each.shard->waiting_requests().find(each.connection)) {
        connection->respond(*shared);
      }
    });
  }
}

// The newest page where each costs a question to a database: it is asked once for all who wait.
void answer_newest(const ApiCall& call, const RoomId& room, std::uint32_t limit) {
  Services& services = call.shard.services();
  if (!services.flights.join(room, limit, {&call.shard, call.connection})) return;
  const bool taken = services.store.read([&services, room, limit] {
    const auto waiters = services.flights.take(room, limit);
    answer_all(waiters, page_response(services, room, 0, limit));
  });
  if (taken) return;
  answer_all(services.flights.take(room, limit),
             error_response({ErrorCode::server_overload, kTooMuchWaits}));
}

// A page of history before `before`; 0: the newest.
void answer_page(const ApiCall& call, MessageId before) {
  const auto identity = authenticate(call);
  if (!identity) return;
  const auto room_id = room_parameter(call.request, "roomId");
  const auto limit = limit_parameter(call);
  if (!room_id || !limit) {
    answer(call, error_response(room_id ? limit.error() : room_id.error()));
    return;
  }
  const chat::Room* const known = call.shard.cached_room(*room_id);
  if (known != nullptr) {
    if (auto refused = refuse_entry(*known, identity->id)) {
      answer(call, std::move(*refused));
      return;
    }
    if (before == 0 && call.shard.services().messages.shared()) {
      answer_newest(call, *room_id, *limit);
      return;
    }
  }
  answer_from_store(call, StoreAccess::reads,
                    [&shard = call.shard, room_id = *room_id, before, limit = *limit,
                     user = identity->id, admitted = known != nullptr](Services& services) {
                      if (!admitted) {
                        if (auto refused = refuse_entry(shard, room_id, user))
                          return std::move(*refused);
                      }
                      return page_response(services, room_id, before, limit);
                    });
}

// Those of all nodes; while they are not known, and where this node is alone, its own.
void answer_people(Shard& shard, SlotHandle connection, const RoomId& room,
                   const std::optional<UserId>& after, std::uint32_t limit) {
  Services& services = shard.services();
  auto told = [&shard, connection, room, after, limit](std::optional<chat::Roster> roster) {
    if (!roster) roster = shard.services().presence.page(room, after, limit);
    answer_later(shard, connection, success("SUCCESS_GET_PEOPLE", roster_json(*roster)));
  };
  if (services.people_of_nodes == nullptr) {
    told(std::nullopt);
  } else {
    services.people_of_nodes->page(room, after, limit, std::move(told));
  }
}

// Who is in a room now, by id.
void get_people(const ApiCall& call) {
  const auto identity = authenticate(call);
  if (!identity) return;
  const auto room_id = room_parameter(call.request, "roomId");
  const auto limit = limit_parameter(call);
  std::optional<UserId> after;
  if (const auto text = call.request.parameter("after")) {
    after = UserId::parse(*text);
    if (!after) {
      answer(call,
             error_response({ErrorCode::invalid_parameter, "after: expected somebody's senderId"}));
      return;
    }
  }
  if (!room_id || !limit) {
    answer(call, error_response(room_id ? limit.error() : room_id.error()));
    return;
  }
  on_store_thread(call, StoreAccess::reads,
                  [&shard = call.shard, connection = call.connection, room_id = *room_id, after,
                   limit = *limit, user = identity->id] {
                    if (auto refused = refuse_entry(shard, room_id, user)) {
                      answer_later(shard, connection, std::move(*refused));
                    } else {
                      answer_people(shard, connection, room_id, after, limit);
                    }
                  });
}

void get_init(const ApiCall& call) {
  if (authenticate(call)) answer(call, success("SUCCESS_TOKEN_VALIDATION", "null"));
}

void get_newest(const ApiCall& call) {
  answer_page(call, 0);
}

void get_before(const ApiCall& call) {
  const auto text = call.request.parameter("lastMessageId");
  if (const auto before = text ? whole_number<MessageId>(*text) : std::nullopt) {
    // Nothing is before the first, and 0 would mean the newest to the store; no id is beyond what
    // its signed 64 bits hold.
    answer_page(call, std::clamp<MessageId>(*before, 1, std::numeric_limits<std::int64_t>::max()));
    return;
  }
  if (authenticate(call)) {
    answer(call, error_response({ErrorCode::invalid_parameter,
                                 "lastMessageId: expected the id of a message"}));
  }
}

struct Route {
  std::string_view method;
  std::string_view path;
  void (*handle)(const ApiCall&);
};
constexpr std::array kRoutes{
    Route{"GET", "/init", get_init},
    Route{"GET", "/message", get_newest},
    Route{"GET", "/message/lastMessageId", get_before},
    Route{"GET", "/chatroom", get_rooms},
    Route{"POST", "/chatroom", post_room},
    Route{"GET", "/chatroom/room", get_room},
    Route{"GET", "/chatroom/search", get_rooms_found},
    Route{"GET", "/chatroom/people", get_people},
    Route{"GET", "/chatroom/private", get_direct_rooms},
    Route{"POST", "/chatroom/private", post_direct_room},
};

}  // namespace

http::Response error_response(const Error& error) {
  http::Response response = json_response(http_status(error.code), error_envelope(error));
  if (response.status == 429 || response.status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
  return response;
}

bool is_api_path(std::string_view path) {
  return std::any_of(kRoutes.begin(), kRoutes.end(),
                     [&](const Route& route) { return route.path == path; });
}

void handle_api(const ApiCall& call) {
  std::string allowed;
  for (const Route& route : kRoutes) {
    if (route.path != call.request.path) continue;
    const bool head = call.request.method == "HEAD" && route.method == "GET";
    if (head || route.method == call.request.method) {
      if (!call.shard.take_request_token(call.client)) {
        answer(call, error_response({ErrorCode::too_many_requests,
                                     "too many requests from your address; wait a moment"}));
      } else if (!answer_banned(call, {})) {
        route.handle(call);
      }
      return;
    }
    if (route.method == "GET") allowed += "GET, HEAD, ";
    if (route.method == "POST") allowed += "POST, ";
  }
  allowed += "OPTIONS";
  if (call.request.method == "OPTIONS") {
    answer(call, {204, {{"Allow", allowed}}, "", ""});
    return;
  }
  http::Response response =
      error_response({ErrorCode::method_not_allowed, "this path takes " + allowed});
  response.headers.emplace_back("Allow", allowed);
  answer(call, std::move(response));
}

}  // namespace rtc::server

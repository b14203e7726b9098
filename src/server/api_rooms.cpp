// The HTTP calls about rooms: list, search, look up, make.
#include <boost/json.hpp>

#include "base/clock.hpp"
#include "base/utf8.hpp"
#include "chat/rules.hpp"
#include "server/api_call.hpp"
#include "server/envelope.hpp"
#include "server/shard.hpp"

namespace rtc::server {
namespace {

namespace json = boost::json;

constexpr std::string_view kNotMade = "the room could not be made";
constexpr std::string_view kNotListed = "the rooms could not be read";
constexpr const char* kNotByNodes = "rooms without history are not offered by these nodes";

// The body as a JSON object; the error says what was expected.
Result<json::object> json_body(const http::Request& request, std::string_view expected) {
  json::error_code problem;
  json::parse_options options;
  options.max_depth = 8;
  json::value value = json::parse({request.body.data(), request.body.size()}, problem, {}, options);
  if (problem || !value.is_object()) {
    return Error{ErrorCode::invalid_parameter, "the body must be " + std::string(expected)};
  }
  return std::move(value.get_object());
}

std::optional<std::string_view> text_member(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains({name.data(), name.size()});
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view{value->get_string().data(), value->get_string().size()};
}

// A page of a list: at most `limit`, behind the room `after` (none: from the beginning).
struct PageOfRooms {
  std::optional<RoomId> after;
  std::uint32_t limit = 0;
};
Result<PageOfRooms> page_of_rooms(const ApiCall& call) {
  PageOfRooms page;
  if (call.request.parameter("after")) {
    const auto id = room_parameter(call.request, "after");
    if (!id) return id.error();
    page.after = *id;
  }
  const auto limit = limit_parameter(call);
  if (!limit) return limit.error();
  page.limit = *limit;
  return page;
}

const UserId& other_member(const chat::Room& room, const UserId& user) {
  return room.members[room.members[0] == user ? 1 : 0];
}

// A direct room is told from the side of who asks.
std::string room_json_for(const UserId& user, const chat::Room& room) {
  return room.kind == chat::Room::Kind::open
             ? room_json(room)
             : direct_room_json(user, other_member(room, user), room.id);
}

// Tells the sessions of `whom`, on all nodes, that `by` opened the room of the two; on any thread.
void tell_opened(Services& services, const UserId& whom, const chat::Identity& by,
                 const RoomId& room) {
  const chat::UserNews news{whom, opened_json(by, room)};
  deliver_news(services, news);
  if (services.relay != nullptr) services.relay->tell(news);
}

}  // namespace

void post_room(const ApiCall& call) {
  const auto identity = authenticate(call);
  if (!identity) return;
  constexpr std::string_view kExpected = R"({"name":"<text>"})";
  const Config& config = call.shard.config();
  const auto body = json_body(call.request, kExpected);
  const auto text = body ? text_member(*body, "name") : std::nullopt;
  if (!text) {
    answer(call, error_response(
                     {ErrorCode::invalid_parameter, "the body must be " + std::string(kExpected)}));
    return;
  }
  auto name = chat::clean_room_name(*text, config.room_name_length_max);
  if (!name) {
    answer(call, error_response(name.error()));
    return;
  }
  // An empty topic is none, which a client that knows no topics says by leaving it out.
  const bool has_topic = body->contains("topic");
  const auto topic_text = has_topic ? text_member(*body, "topic") : std::string_view();
  auto topic = topic_text ? chat::clean_room_topic(*topic_text, config.room_topic_length_max)
                          : Error{ErrorCode::invalid_parameter, "topic: expected a text"};
  if (!topic) {
    answer(call, error_response(topic.error()));
    return;
  }
  const json::value* const history = body->if_contains("history");
  if (history != nullptr && !history->is_bool()) {
    answer(call, error_response({ErrorCode::invalid_parameter, "history: expected true or false"}));
    return;
  }
  chat::Room room{RoomId::random(), chat::Room::Kind::open, std::move(*name),
                  unix_ms(),        identity->id,           {}};
  room.history = history == nullptr || history->get_bool();
  const Services& shared = call.shard.services();
  if (!room.history && shared.order != nullptr && shared.live == nullptr) {
    return answer(call, error_response({ErrorCode::forbidden_action, kNotByNodes}));
  }
  room.topic = std::move(*topic);
  const chat::RoomBounds bounds{config.rooms_max, config.rooms_per_identity_max};
  answer_from_store(call, StoreAccess::writes, [room, bounds](Services& services) {
    const auto created = services.rooms.create(room, bounds);
    if (!created) return store_error(services, kNotMade, created.error());
    return success("SUCCESS_ROOM_CREATE", room_json(room));
  });
}

void get_rooms(const ApiCall& call) {
  if (!authenticate(call)) return;
  const auto page = page_of_rooms(call);
  if (!page) {
    answer(call, error_response(page.error()));
    return;
  }
  answer_from_store(call, StoreAccess::reads, [page = *page](Services& services) {
    const auto rooms = services.rooms.list_open(page.after, page.limit);
    if (!rooms) return store_error(services, kNotListed, rooms.error());
    return success("SUCCESS_GET_ROOM_LIST", rooms_json(*rooms));
  });
}

void get_rooms_found(const ApiCall& call) {
  if (!authenticate(call)) return;
  const auto limit = limit_parameter(call);
  const std::string_view text = call.request.parameter("words").value_or("");
  if (!limit || !is_utf8(text)) {
    answer(call,
           error_response(limit ? Error{ErrorCode::invalid_parameter, "words: not valid UTF-8"}
                                : limit.error()));
    return;
  }
  answer_from_store(call, StoreAccess::reads,
                    [words = chat::search_words(text), limit = *limit](Services& services) {
                      const auto rooms = services.room_search.find(words, limit);
                      if (!rooms) return store_error(services, kNotListed, rooms.error());
                      return success("SUCCESS_GET_ROOM_LIST", rooms_json(*rooms));
                    });
}

void get_room(const ApiCall& call) {
  const auto identity = authenticate(call);
  if (!identity) return;
  const auto room_id = room_parameter(call.request, "roomId");
  if (!room_id) {
    answer(call, error_response(room_id.error()));
    return;
  }
  answer_from_store(
      call, StoreAccess::reads, [room_id = *room_id, user = identity->id](Services& services) {
        const auto room = services.rooms.find(room_id);
        if (!room) return store_error(services, kNotListed, room.error());
        if (!room->has_value()) {
          return error_response({ErrorCode::not_found_chatroom, "there is no such room"});
        }
        if (!chat::may_enter(**room, user)) {
          return error_response({ErrorCode::forbidden_access, "this room is not yours"});
        }
        return success("SUCCESS_GET_ROOM", room_json_for(user, **room));
      });
}

void get_direct_rooms(const ApiCall& call) {
  const auto identity = authenticate(call);
  if (!identity) return;
  const auto page = page_of_rooms(call);
  if (!page) {
    answer(call, error_response(page.error()));
    return;
  }
  answer_from_store(call, StoreAccess::reads,
                    [page = *page, user = identity->id](Services& services) {
                      const auto rooms = services.rooms.list_direct(user, page.after, page.limit);
                      if (!rooms) return store_error(services, kNotListed, rooms.error());
                      std::string list = "[";
                      for (const chat::Room& room : *rooms) {
                        if (list.size() > 1) list += ',';
                        list += room_json_for(user, room);
                      }
                      return success("SUCCESS_GET_ROOM_LIST", list += ']');
                    });
}

void post_direct_room(const ApiCall& call) {
  const auto identity = authenticate(call);
  if (!identity) return;
  constexpr std::string_view kExpected = R"({"senderId":"<uuid>","receiverId":"<uuid>"})";
  const Config& config = call.shard.config();
  const auto body = json_body(call.request, kExpected);
  const auto sender_text = body ? text_member(*body, "senderId") : std::nullopt;
  const auto receiver_text = body ? text_member(*body, "receiverId") : std::nullopt;
  const auto sender = sender_text ? UserId::parse(*sender_text) : std::nullopt;
  const auto receiver = receiver_text ? UserId::parse(*receiver_text) : std::nullopt;
  if (!sender || !receiver || *sender == *receiver) {
    answer(call, error_response(
                     {ErrorCode::invalid_parameter, "the body must be " + std::string(kExpected) +
                                                        ", the `jti` of two identities"}));
    return;
  }
  if (*sender != identity->id) {
    answer(call, error_response({ErrorCode::forbidden_access,
                                 "senderId: must be your own, the token's `jti`"}));
    return;
  }
  const auto [low, high] = std::minmax(*sender, *receiver);
  chat::Room room{RoomId::random(), chat::Room::Kind::direct, "", unix_ms(), *sender, {low, high}};
  const chat::RoomBounds bounds{config.direct_rooms_max, config.direct_rooms_per_identity_max};
  answer_from_store(call, StoreAccess::writes,
                    [room, bounds, identity = *identity, receiver = *receiver](Services& services) {
                      const auto found = services.rooms.find_or_create_direct(room, bounds);
                      if (!found) return store_error(services, kNotMade, found.error());
                      tell_opened(services, receiver, identity, found->id);
                      return success("SUCCESS_ROOM_CREATE",
                                     direct_room_json(identity.id, receiver, found->id));
                    });
}

}  // namespace rtc::server

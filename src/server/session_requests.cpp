// What a session's frames ask for: SEND, SUBSCRIBE, UNSUBSCRIBE.
#include <boost/json.hpp>
#include <chrono>

#include "chat/rules.hpp"
#include "server/session.hpp"
#include "server/shard.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

namespace json = boost::json;

struct SendBody {
  RoomId room;
  std::string text;
};

// {"roomId","message"}; whatever else a body says (randId, nameTag) does not count.
Result<SendBody> parse_body(std::string_view body) {
  const auto malformed = [](std::string reason) {
    return Error{ErrorCode::invalid_message_format, std::move(reason)};
  };
  json::error_code problem;
  json::parse_options options;
  options.max_depth = 8;
  const json::value value =
      json::parse(json::string_view(body.data(), body.size()), problem, {}, options);
  if (problem) return malformed("the body is not JSON: " + problem.message());
  const auto* object = value.if_object();
  const auto* room = object == nullptr ? nullptr : object->if_contains("roomId");
  const auto* text = object == nullptr ? nullptr : object->if_contains("message");
  if (room == nullptr || text == nullptr || !room->is_string() || !text->is_string()) {
    return malformed(R"(the body must be {"roomId":"<uuid>","message":"<text>"})");
  }
  const auto& room_text = room->get_string();
  const auto id = RoomId::parse({room_text.data(), room_text.size()});
  if (!id) return malformed("roomId: not a UUID");
  const auto& message = text->get_string();
  return SendBody{*id, std::string(message.data(), message.size())};
}

Error no_such_room() {
  return {ErrorCode::not_found_chatroom, "there is no such room"};
}

}  // namespace

void Session::with_room(RoomId id, const std::string& receipt, WithRoom then) {
  if (const chat::Room* room = shard_.cached_room(id)) {
    then(*this, room);
    return;
  }
  waiting_for_room_ = true;
  Shard* const shard = &shard_;
  const SlotHandle handle = handle_;
  const bool taken = shard_.services().store.read([shard, handle, id, receipt, then] {
    auto room = shard->services().rooms.find(id);
    shard->loop().post([shard, handle, receipt, then, room = std::move(room)] {
      if (room.ok() && room->has_value()) shard->cache_room(**room);
      Session* const session = shard->sessions().find(handle);
      if (session == nullptr) return;
      session->waiting_for_room_ = false;
      if (!session->ended_) {
        if (room.ok()) {
          then(*session, room->has_value() ? &**room : nullptr);
        } else {
          session->refuse({ErrorCode::internal_server_error,
                           "the room could not be looked up; try again in a while"},
                          receipt);
        }
      }
      session->resume();
    });
  });
  if (!taken) {
    waiting_for_room_ = false;
    refuse({ErrorCode::server_overload, "too much is waiting; try again in a while"}, receipt);
  }
}

bool Session::is_own_token(std::string_view token) const {
  if (std::hash<std::string_view>{}(token) == token_hash_) return true;
  // Renewed since CONNECT, perhaps.
  const auto check = shard_.services().tokens.check(token, std::time(nullptr));
  return check.verdict != chat::TokenCheck::Verdict::invalid && check.identity.id == identity_.id;
}

void Session::on_send(const stomp::Frame& frame) {
  std::string receipt(frame.get("receipt"));
  const auto destination = frame.find("destination");
  if (!destination) {
    fail({ErrorCode::invalid_message_format, "SEND needs the header destination"}, receipt,
         websocket::kCloseProtocolError);
    return;
  }
  if (frame.find("transaction")) {
    refuse({ErrorCode::forbidden_action, "transactions are not offered here"}, receipt);
    return;
  }
  if (*destination != kSendDestination) {
    refuse({ErrorCode::forbidden_action,
            destination->starts_with(kServerPrefix)
                ? "only the server sends to /sub/…; send to /pub/chat"
                : "there is no such destination to send to; send to /pub/chat"},
           receipt);
    return;
  }
  if (const auto token = frame.find("token"); token && !is_own_token(*token)) {
    refuse({ErrorCode::unauthorized_access, "the token header is not this session's token"},
           receipt);
    return;
  }
  const chat::Rate rate{shard_.config().send_rate_max, shard_.config().send_burst_max};
  if (!rate_exempt_ && !send_rate_.take(rate, shard_.loop().now_ms())) {
    shard_.figures().rate_limited.fetch_add(1, std::memory_order_relaxed);
    refuse({ErrorCode::too_many_requests, "you are sending too fast; wait a moment"}, receipt);
    return;
  }
  auto body = parse_body(frame.body);
  if (!body) {
    refuse(body.error(), receipt);
    return;
  }
  const auto checked = chat::check_text(body->text, shard_.config().message_bytes_max);
  if (!checked) {
    refuse(checked.error(), receipt);
    return;
  }
  with_room(body->room, receipt,
            [id = body->room, text = std::move(body->text), receipt](
                Session& self, const chat::Room* room) { self.post(room, id, text, receipt); });
}

void Session::post(const chat::Room* room, RoomId id, std::string text, std::string receipt) {
  if (room == nullptr) {
    refuse(no_such_room(), receipt);
    return;
  }
  if (!chat::may_enter(*room, identity_.id)) {
    refuse({ErrorCode::forbidden_access, "this room is not yours"}, receipt);
    return;
  }
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  const std::uint32_t request = next_request_++;
  if (!shard_.submit({id, identity_, std::move(text), now_ms}, handle_, request)) {
    refuse({ErrorCode::server_overload, "too much is waiting to be stored; try again in a while"},
           receipt);
    return;
  }
  ++in_flight_;
  if (receipt.empty()) return;
  if (pending_ == nullptr) pending_ = std::make_unique<std::deque<Pending>>();
  pending_->push_back({request, false, std::move(receipt)});
}

void Session::on_subscribe(const stomp::Frame& frame) {
  std::string receipt(frame.get("receipt"));
  const auto text = frame.find("destination");
  const auto id = frame.find("id");
  const bool needs_id = parser_.version() != stomp::Version::v1_0;
  if (!text || (needs_id && (!id || id->empty()))) {
    fail({ErrorCode::invalid_message_format, "SUBSCRIBE needs the headers id and destination"},
         receipt, websocket::kCloseProtocolError);
    return;
  }
  Variant variant{std::string(id.value_or("")), parser_.version(), output_.framing()};
  if (variant.subscription_id.size() > kIdBytesMax) {
    fail({ErrorCode::invalid_message_format, "id: longer than 256 bytes"}, receipt,
         websocket::kClosePolicyViolation);
    return;
  }
  const auto destination = parse_destination(*text);
  if (!destination) {
    refuse({ErrorCode::forbidden_action, "there is no such destination to subscribe to"}, receipt);
    return;
  }
  if (destination->kind != Destination::Kind::room) {
    subscribe(*destination, variant, std::move(receipt));
    return;
  }
  with_room(destination->room, receipt,
            [destination = *destination, variant = std::move(variant), receipt](
                Session& self, const chat::Room* room) {
              if (room == nullptr) {
                self.refuse(no_such_room(), receipt);
              } else if (!chat::may_enter(*room, self.identity_.id)) {
                self.refuse({ErrorCode::forbidden_access, "this room is not yours"}, receipt);
              } else {
                self.subscribe(destination, variant, receipt);
              }
            });
}

void Session::subscribe(const Destination& destination, const Variant& variant,
                        std::string receipt) {
  std::size_t free = subscriptions_.size();
  std::size_t held = 0;
  for (std::size_t i = 0; i < subscriptions_.size(); ++i) {
    const Hub::Seat& seat = subscriptions_[i];
    if (seat.group == nullptr) {
      free = i;
      continue;
    }
    ++held;
    if (!variant.subscription_id.empty() &&
        seat.group->variant().subscription_id == variant.subscription_id) {
      refuse({ErrorCode::invalid_parameter, "id: this session has a subscription of that id"},
             receipt);
      return;
    }
  }
  if (held >= shard_.config().subscriptions_per_session_max) {
    refuse({ErrorCode::forbidden_action, "this session has too many subscriptions"}, receipt);
    return;
  }
  if (free == subscriptions_.size()) subscriptions_.emplace_back();
  subscriptions_[free] =
      shard_.hub().join(destination, variant, *this, static_cast<std::uint32_t>(free));
  acknowledge(std::move(receipt));
  if (destination.kind == Destination::Kind::entry) {
    const auto count = shard_.services().totals.sessions.load(std::memory_order_relaxed);
    output_.send(Hub::encode(*subscriptions_[free].group,
                             "entry-now-" + std::to_string(next_request_++), "text/plain", "", "",
                             std::to_string(count)));
    shard_.start_presence();
  }
}

void Session::on_unsubscribe(const stomp::Frame& frame) {
  const auto id = frame.find("id");
  const auto destination = frame.find("destination");
  const bool by_destination = !id && parser_.version() == stomp::Version::v1_0 && destination;
  if (!id && !by_destination) {
    fail({ErrorCode::invalid_message_format, "UNSUBSCRIBE needs the header id"},
         frame.get("receipt"), websocket::kCloseProtocolError);
    return;
  }
  for (Hub::Seat& seat : subscriptions_) {
    if (seat.group == nullptr) continue;
    if (by_destination ? seat.group->topic().destination() == *destination
                       : seat.group->variant().subscription_id == *id) {
      shard_.hub().leave(seat);
      seat = {};
      acknowledge(std::string(frame.get("receipt")));
      return;
    }
  }
  refuse({ErrorCode::invalid_parameter, "id: this session has no subscription of that id"},
         frame.get("receipt"));
}

}  // namespace rtc::server

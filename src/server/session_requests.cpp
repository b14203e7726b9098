// SEND: from the frame to the store. And the rooms that frames name.
#include <boost/json.hpp>

#include "base/clock.hpp"
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

}  // namespace

bool Session::check_entry(const chat::Room* room, const std::string& receipt) {
  if (room == nullptr) {
    refuse({ErrorCode::not_found_chatroom, "there is no such room"}, receipt);
    return false;
  }
  if (!chat::may_enter(*room, identity_.id)) {
    refuse({ErrorCode::forbidden_access, "this room is not yours"}, receipt);
    return false;
  }
  return true;
}

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
    if (!room) {
      room = shard->services().store.health().call_failed("the room could not be looked up",
                                                          room.error());
    }
    shard->loop().post([shard, handle, receipt, then, room = std::move(room)] {
      if (room.ok() && room->has_value()) shard->cache_room(**room);
      Session* const session = shard->sessions().find(handle);
      if (session == nullptr) return;
      session->waiting_for_room_ = false;
      if (!session->ended_) {
        if (room.ok()) {
          then(*session, room->has_value() ? &**room : nullptr);
        } else {
          session->refuse(room.error(), receipt);
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
  if (!shard_.take_send_token(identity_.id, client_)) {
    refuse({ErrorCode::too_many_requests, "you are sending too fast; wait a moment"}, receipt);
    return;
  }
  const std::string_view key = frame.get("message-key");
  if (key.size() > chat::kMessageKeyBytesMax) {
    refuse({ErrorCode::invalid_message_format, "message-key: longer than 64 bytes"}, receipt);
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
  chat::Draft draft{body->room, identity_, std::move(body->text), unix_ms(), std::string(key)};
  with_room(body->room, receipt,
            [draft = std::move(draft), receipt](Session& self, const chat::Room* room) {
              self.post(room, draft, receipt);
            });
}

void Session::post(const chat::Room* room, chat::Draft draft, const std::string& receipt) {
  if (!check_entry(room, receipt)) return;
  const std::uint32_t request = next_request_++;
  if (!shard_.submit(std::move(draft), handle_, request)) {
    refuse({ErrorCode::server_overload, "too much is waiting to be stored; try again in a while"},
           receipt);
    return;
  }
  ++in_flight_;
  // Also without a receipt: later frames' receipts wait for it.
  if (pending_ == nullptr) pending_ = std::make_unique<std::deque<Pending>>();
  pending_->push_back({request, false, receipt, 0});
}

}  // namespace rtc::server

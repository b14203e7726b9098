// SEND: from the frame to the store. And the rooms that frames name.
#include <algorithm>

#include "base/clock.hpp"
#include "chat/rules.hpp"
#include "server/send_body.hpp"
#include "server/session.hpp"
#include "server/shard.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

constexpr std::size_t kPendingAtFirst = 4;

}  // namespace

Result<const chat::Room*> Session::check_entry(const chat::Room* room) const {
  if (room == nullptr) return {ErrorCode::not_found_chatroom, "there is no such room"};
  if (!chat::may_enter(*room, identity_.id())) {
    return {ErrorCode::forbidden_access, "this room is not yours"};
  }
  return room;
}

void Session::with_room(RoomId id, WithRoom then) {
  if (const chat::Room* room = shard_.cached_room(id)) {
    then(*this, check_entry(room));
    return;
  }
  waiting_for_room_ = true;
  Shard* const shard = &shard_;
  const SlotHandle handle = handle_;
  const bool taken = shard_.services().store.read([shard, handle, id, then] {
    auto room = shard->services().rooms.find(id);
    if (!room) {
      room = shard->services().store.health().call_failed("the room could not be looked up",
                                                          room.error());
    }
    shard->loop().post([shard, handle, then, room = std::move(room)] {
      if (room.ok() && room->has_value()) shard->cache_room(**room);
      Session* const session = shard->sessions().find(handle);
      if (session == nullptr) return;
      session->waiting_for_room_ = false;
      if (!session->ended_) {
        if (room.ok()) {
          then(*session, session->check_entry(room->has_value() ? &**room : nullptr));
        } else {
          then(*session, room.error());
        }
      }
      session->resume();
    });
  });
  if (!taken) {
    waiting_for_room_ = false;
    then(*this, {ErrorCode::server_overload, "too much is waiting; try again in a while"});
  }
}

bool Session::is_own_token(std::string_view token) const {
  if (std::hash<std::string_view>{}(token) == token_hash_) return true;
  // Renewed since CONNECT, perhaps.
  const auto check = shard_.services().tokens.check(token, std::time(nullptr));
  return check.verdict != chat::TokenCheck::Verdict::invalid && check.identity.id == identity_.id();
}

void Session::on_send(const stomp::Frame& frame) {
  SendRequest request;
  request.receipt = frame.get("receipt");
  const auto destination = frame.find("destination");
  if (!destination) {
    fail({ErrorCode::invalid_message_format, "SEND needs the header destination"}, request.receipt,
         websocket::kCloseProtocolError);
    return;
  }
  if (*destination == kTypingDestination) {
    on_typing(frame);
    return;
  }
  if (broker_ != nullptr && is_broker_target(*destination)) {
    broker_->on_send(frame);
    return;
  }
  request.transaction = frame.find("transaction");
  auto draft = check_send(frame);
  if (!draft) {
    refuse_send(request, draft.error());
    return;
  }
  request.draft = std::move(*draft);
  const RoomId room = request.draft.room;
  if (const chat::Room* known = shard_.cached_room(room)) {  // as nearly always
    send_to(check_entry(known), request);
    return;
  }
  with_room(room, [request = std::move(request)](Session& self,
                                                 const Result<const chat::Room*>& found) mutable {
    self.send_to(found, request);
  });
}

void Session::send_to(const Result<const chat::Room*>& room, SendRequest& request) {
  if (room) {
    request.draft.live = !(*room)->history;
    post(request);
  } else {
    refuse_send(request, room.error());
  }
}

// All that can be judged before the room is known.
Result<chat::Draft> Session::check_send(const stomp::Frame& frame) {
  if (const auto id = frame.find("transaction")) {
    if (const auto joins = transactions().check(*id); !joins) return joins.error();
  }
  const std::string_view destination = frame.get("destination");
  if (destination != kSendDestination) {
    return {ErrorCode::forbidden_action,
            destination.starts_with(kServerPrefix)
                ? "only the server sends to /sub/…; send to /pub/chat"
                : "there is no such destination to send to; send to /pub/chat"};
  }
  if (const auto token = frame.find("token"); token && !is_own_token(*token)) {
    return {ErrorCode::unauthorized_access, "the token header is not this session's token"};
  }
  if (!shard_.take_send_token(identity_.id(), output_.client())) {
    return {ErrorCode::too_many_requests, "you are sending too fast; wait a moment"};
  }
  const std::string_view key = frame.get("message-key");
  if (key.size() > chat::kMessageKeyBytesMax) {
    return {ErrorCode::invalid_message_format, "message-key: longer than 64 bytes"};
  }
  auto body = parse_chat_body(frame.body);
  if (!body) return body.error();
  const auto checked = chat::check_text(body->text, shard_.config().message_bytes_max);
  if (!checked) return checked.error();
  return chat::Draft{body->room, identity_, std::move(body->text), unix_ms(), std::string(key)};
}

void Session::on_typing(const stomp::Frame& frame) {
  const std::string receipt(frame.get("receipt"));
  const auto body = parse_typing_body(frame.body);
  if (!body) {
    refuse(body.error(), receipt);
    return;
  }
  chat::Presence& presence = shard_.services().presence;
  if (!presence.set_typing(body->room, identity_.id(), body->typing, shard_.loop().now_ms())) {
    refuse({ErrorCode::forbidden_action, "subscribe to the room first: only its people type there"},
           receipt);
    return;
  }
  said_typing_ = said_typing_ || body->typing;
  acknowledge(receipt);
}

void Session::post(SendRequest& request) {
  if (!request.transaction) {
    submit({&request.draft, 1}, std::move(request.receipt), "id");
    return;
  }
  const auto kept =
      transactions().keep(*request.transaction, std::move(request.draft), shard_.config());
  if (kept) {
    acknowledge(std::move(request.receipt));
  } else {
    refuse(kept.error(), request.receipt);
  }
}

void Session::refuse_send(const SendRequest& request, const Error& error) {
  if (request.transaction) transactions().spoil(*request.transaction, error);
  refuse(error, request.receipt);
}

void Session::submit(std::span<chat::Draft> drafts, std::string receipt,
                     std::string_view ids_header) {
  const std::uint32_t request = next_request_++;
  if (said_typing_) {
    chat::Presence& presence = shard_.services().presence;
    for (const chat::Draft& draft : drafts) {
      presence.set_typing(draft.room, identity_.id(), false, 0);
    }
  }
  const auto live = std::count_if(drafts.begin(), drafts.end(),
                                  [](const chat::Draft& draft) { return draft.live; });
  if (!shard_.submit(drafts, handle_, request)) {
    refuse({ErrorCode::server_overload,
            "too much is waiting to be stored or delivered; try again in a while"},
           receipt);
    return;
  }
  // Its live messages go out after the commit: what the session says next must not overtake them.
  if (live > 0 && live < std::ssize(drafts)) commit_awaited_ = request;
  const auto count = static_cast<std::uint32_t>(drafts.size());
  in_flight_ += count;
  // Also without a receipt: later frames' receipts wait for it.
  auto& pending = busy().pending;
  if (pending.empty()) pending.reserve(kPendingAtFirst);
  pending.push_back({request, count, std::move(receipt), ids_header, {}});
}

}  // namespace rtc::server

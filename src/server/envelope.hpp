// The JSON that goes over the wire: the envelope around every answer, messages, rooms. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "chat/message.hpp"
#include "chat/presence.hpp"
#include "chat/room.hpp"

namespace rtc::server {

// {"response":<response_json>,"error":null,"type":"<type>","success":true}
std::string success_envelope(std::string_view type, std::string_view response_json = "null");

// {"response":<response_json>,"error":{"message":…,"cause":null},"type":…,"success":false}, the
// type and message of `error`.
std::string error_envelope(const Error& error, std::string_view response_json = "null");

std::string json_string(std::string_view text);

// {"id","message","randId","nameTag","createdAt","ipAddress","senderId"}
void append_message_json(std::string& out, const chat::Message& message);
// An array of the first of them, at least one, as long as it stays below `bytes_max`.
std::string messages_json(const std::vector<chat::Message>& messages, std::size_t bytes_max);
// {"roomId","name","topic","createdAt","history"}
std::string room_json(const chat::Room& room);
std::string rooms_json(const std::vector<chat::Room>& rooms);
// {"people","joined","left","typing","complete"}
std::string presence_json(const chat::PresenceChange& change);
// {"people","page"}
std::string roster_json(const chat::Roster& roster);
// {"senderId","receiverId","roomId"}
std::string direct_room_json(const UserId& sender, const UserId& receiver, const RoomId& room);
// {"roomId","senderId","randId","nameTag"}: who opened a direct room.
std::string opened_json(const chat::Identity& by, const RoomId& room);

// "2026-01-31T23:59:59.123Z" of Unix milliseconds.
std::string iso_time(std::int64_t unix_ms);

}  // namespace rtc::server

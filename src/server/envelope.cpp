#include "server/envelope.hpp"

#include <boost/json.hpp>
#include <ctime>
#include <fmt/core.h>

namespace rtc::server {
namespace {

namespace json = boost::json;

json::string_view view(std::string_view text) {
  return {text.data(), text.size()};
}

template <class T, class F>
std::string array_json(const std::vector<T>& items, F&& each) {
  std::string out = "[";
  for (const T& item : items) {
    if (out.size() > 1) out += ',';
    out += each(item);
  }
  return out += ']';
}

std::string person_json(const chat::Person& person) {
  return fmt::format(R"({{"senderId":"{}","randId":{},"nameTag":{}}})", person.id.to_string(),
                     json_string(person.nickname), json_string(person.name_tag));
}

}  // namespace

std::string json_string(std::string_view text) {
  return json::serialize(json::string_view(text.data(), text.size()));
}

std::string success_envelope(std::string_view type, std::string_view response_json) {
  return fmt::format(R"({{"response":{},"error":null,"type":"{}","success":true}})", response_json,
                     type);
}

std::string error_envelope(const Error& error, std::string_view response_json) {
  return fmt::format(
      R"({{"response":{},"error":{{"message":{},"cause":null}},"type":"{}","success":false}})",
      response_json, json_string(error.message), error_name(error.code));
}

std::string message_json(const chat::Message& message) {
  unsigned char buffer[1024];
  json::monotonic_resource memory(buffer, sizeof buffer);
  json::object object(&memory);
  object.reserve(7);
  object["id"] = message.id;
  object["message"] = view(message.text);
  object["randId"] = view(message.sender.nickname);
  object["nameTag"] = view(message.sender.name_tag);
  object["createdAt"] = view(iso_time(message.created_at_ms));
  object["ipAddress"] = view(message.sender.address);
  object["senderId"] = view(message.sender.id.to_string());
  return json::serialize(object);
}

std::string messages_json(const std::vector<chat::Message>& messages, std::size_t bytes_max) {
  std::string out = "[";
  for (const chat::Message& message : messages) {
    const std::string json = message_json(message);
    if (out.size() > 1) {
      if (out.size() + json.size() + 2 > bytes_max) break;
      out += ',';
    }
    out += json;
  }
  return out += ']';
}

std::string room_json(const chat::Room& room) {
  return fmt::format(R"({{"roomId":"{}","name":{},"createdAt":"{}","history":{}}})",
                     room.id.to_string(), json_string(room.name), iso_time(room.created_at_ms),
                     room.history);
}

std::string rooms_json(const std::vector<chat::Room>& rooms) {
  return array_json(rooms, room_json);
}

std::string presence_json(const chat::PresenceChange& change) {
  const auto id_json = [](const UserId& id) { return '"' + id.to_string() + '"'; };
  return fmt::format(R"({{"people":{},"joined":{},"left":{},"typing":{},"complete":{}}})",
                     change.people, array_json(change.joined, person_json),
                     array_json(change.left, id_json), array_json(change.typing, person_json),
                     change.complete);
}

std::string roster_json(const chat::Roster& roster) {
  return fmt::format(R"({{"people":{},"page":{}}})", roster.people,
                     array_json(roster.page, person_json));
}

std::string direct_room_json(const UserId& sender, const UserId& receiver, const RoomId& room) {
  return fmt::format(R"({{"senderId":"{}","receiverId":"{}","roomId":"{}"}})", sender.to_string(),
                     receiver.to_string(), room.to_string());
}

std::string iso_time(std::int64_t unix_ms) {
  const std::time_t seconds = unix_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900,
                     utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                     unix_ms % 1000);
}

}  // namespace rtc::server

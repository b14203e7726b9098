#include "server/envelope.hpp"

#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cstring>
#include <ctime>
#include <fmt/core.h>

namespace rtc::server {
namespace {

namespace json = boost::json;

// Whether one of the eight characters is escaped in JSON: below 0x20, or one of `"\`.
bool any_escaped(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHighBits = kOnes * 0x80;
  const auto any_below = [](std::uint64_t word, std::uint64_t bound) {
    return (word - kOnes * bound) & ~word & kHighBits;
  };
  return (any_below(eight, 0x20) | any_below(eight ^ kOnes * '"', 1) |
          any_below(eight ^ kOnes * '\\', 1)) != 0;
}

bool any_escaped(std::string_view text) {
  std::uint64_t word = 0;
  for (; text.size() >= sizeof word; text.remove_prefix(sizeof word)) {
    std::memcpy(&word, text.data(), sizeof word);
    if (any_escaped(word)) return true;
  }
  word = ~std::uint64_t{0};  // what the rest does not fill is none
  std::memcpy(&word, text.data(), text.size());
  return any_escaped(word);
}

void append_json_string(std::string& out, std::string_view text) {
  if (any_escaped(text)) {
    out += json::serialize(json::string_view(text.data(), text.size()));
  } else {  // nearly always, and much cheaper
    out.append(1, '"').append(text).append(1, '"');
  }
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

// "2026-01-31T23:59:59" of Unix seconds. Messages come many a second.
const std::string& second_text(std::int64_t unix_s) {
  thread_local std::int64_t last = -1;
  thread_local std::string text;
  if (unix_s != last) {
    const std::time_t seconds = unix_s;
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    last = unix_s;
  }
  return text;
}

void append_iso_time(std::string& out, std::int64_t unix_ms) {
  const auto ms = static_cast<unsigned>(unix_ms % 1000);
  const auto digit = [](unsigned value) { return static_cast<char>('0' + value % 10); };
  out.append(second_text(unix_ms / 1000));
  out.append({'.', digit(ms / 100), digit(ms / 10), digit(ms), 'Z'});
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
  std::string out;
  append_json_string(out, text);
  return out;
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

void append_message_json(std::string& out, const chat::Message& message) {
  const chat::SharedIdentity& sender = message.sender;
  append_number(out.append(R"({"id":)"), message.id);
  append_json_string(out.append(R"(,"message":)"), message.text);
  append_json_string(out.append(R"(,"randId":)"), sender.nickname());
  append_json_string(out.append(R"(,"nameTag":)"), sender.name_tag());
  append_iso_time(out.append(R"(,"createdAt":")"), message.created_at_ms);
  append_json_string(out.append(R"(","ipAddress":)"), sender.address());
  sender.id().append_to(out.append(R"(,"senderId":")"));
  out += R"("})";
}

std::string messages_json(const std::vector<chat::Message>& messages, std::size_t bytes_max) {
  std::string out = "[";
  for (const chat::Message& message : messages) {
    const std::size_t before = out.size();
    if (before > 1) out += ',';
    append_message_json(out, message);
    if (before > 1 && out.size() + 1 > bytes_max) {
      out.resize(before);
      break;
    }
  }
  return out += ']';
}

std::string room_json(const chat::Room& room) {
  return fmt::format(R"({{"roomId":"{}","name":{},"topic":{},"createdAt":"{}","history":{}}})",
                     room.id.to_string(), json_string(room.name), json_string(room.topic),
                     iso_time(room.created_at_ms), room.history);
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

std::string opened_json(const chat::Identity& by, const RoomId& room) {
  return fmt::format(R"({{"roomId":"{}","senderId":"{}","randId":{},"nameTag":{}}})",
                     room.to_string(), by.id.to_string(), json_string(by.nickname),
                     json_string(by.name_tag));
}

std::string iso_time(std::int64_t unix_ms) {
  std::string text;
  append_iso_time(text, unix_ms);
  return text;
}

}  // namespace rtc::server

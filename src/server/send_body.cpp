// Boost.JSON's parser without its values: each message is parsed, and the two members that count
// are taken as they come by.
#include "server/send_body.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <optional>
#include <utility>

namespace rtc::server {
namespace {

namespace json = boost::json;

constexpr std::size_t kDepthMax = 8;

enum class Member : std::uint8_t { other, room, message, typing };

Member member_of(std::string_view name) {
  if (name == "roomId") return Member::room;
  if (name == "message") return Member::message;
  if (name == "typing") return Member::typing;
  return Member::other;
}

// What basic_parser tells of the outermost object. Its parts of names and strings are views.
class Members {
 public:
  using Error = json::error_code;
  using View = json::string_view;

  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  // As much of it as shows that it is none.
  struct RoomText {
    std::array<char, Uuid::kTextSize + 1> chars;
    std::size_t size = 0;

    void append(View part) {
      const std::size_t fits = std::min(part.size(), chars.size() - size);
      std::copy_n(part.data(), fits, chars.data() + size);
      size += fits;
    }
  };

  bool is_object = false;
  std::optional<RoomText> room;
  std::optional<std::string> message;
  std::optional<bool> typing;

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) {
    is_object = is_object || depth_ == 0;
    return begin();
  }
  bool on_object_end(std::size_t, Error&) { return end(); }
  bool on_array_begin(Error&) { return begin(); }
  bool on_array_end(std::size_t, Error&) { return end(); }

  bool on_key_part(View part, std::size_t, Error&) {
    if (depth_ == 1) name_.append(part.data(), part.size());
    return true;
  }
  bool on_key(View rest, std::size_t, Error&) {
    if (depth_ > 1) return true;
    if (name_.empty()) {
      member_ = member_of({rest.data(), rest.size()});
    } else {
      member_ = member_of(name_.append(rest.data(), rest.size()));
      name_.clear();
    }
    if (member_ == Member::room) room.reset();
    if (member_ == Member::message) message.reset();
    if (member_ == Member::typing) typing.reset();
    return true;
  }

  bool on_string_part(View part, std::size_t, Error&) { return append(part); }
  bool on_string(View rest, std::size_t, Error&) { return append(rest); }
  bool on_bool(bool value, Error&) {
    if (depth_ == 1 && member_ == Member::typing) typing = value;
    return true;
  }
  bool on_number_part(View, Error&) { return true; }
  bool on_int64(std::int64_t, View, Error&) { return true; }
  bool on_uint64(std::uint64_t, View, Error&) { return true; }
  bool on_double(double, View, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(View, Error&) { return true; }
  bool on_comment(View, Error&) { return true; }

 private:
  bool begin() {
    ++depth_;
    return true;
  }
  bool end() {
    --depth_;
    return true;
  }
  bool append(View part) {
    if (depth_ > 1) return true;
    if (member_ == Member::room) {
      if (!room) room.emplace();
      room->append(part);
    } else if (member_ == Member::message) {
      if (!message) message.emplace();
      message->append(part.data(), part.size());
    }
    return true;
  }

  int depth_ = 0;
  Member member_ = Member::other;  // whose value comes next in the outermost object
  std::string name_;               // the parts so far of one that comes in parts
};

Error malformed(std::string reason) {
  return {ErrorCode::invalid_message_format, std::move(reason)};
}

Error not_as(std::string_view expected) {
  return malformed("the body must be " + std::string(expected));
}

// The members, of which `room` is there.
Result<Members> parse(std::string_view body, std::string_view expected) {
  json::parse_options options;
  options.max_depth = kDepthMax;
  json::basic_parser<Members> parser(options);
  json::error_code problem;
  const std::size_t parsed = parser.write_some(false, body.data(), body.size(), problem);
  if (!problem && parsed < body.size()) problem = json::error::extra_data;
  if (problem) return malformed("the body is not JSON: " + problem.message());
  Members& members = parser.handler();
  if (!members.is_object || !members.room) return not_as(expected);
  return std::move(members);
}

Result<RoomId> room_of(const Members& members) {
  const auto room = RoomId::parse({members.room->chars.data(), members.room->size});
  if (!room) return malformed("roomId: not a UUID");
  return *room;
}

}  // namespace

Result<ChatBody> parse_chat_body(std::string_view body) {
  constexpr std::string_view kExpected = R"({"roomId":"<uuid>","message":"<text>"})";
  auto members = parse(body, kExpected);
  if (!members) return members.error();
  if (!members->message) return not_as(kExpected);
  const auto room = room_of(*members);
  if (!room) return room.error();
  return ChatBody{*room, std::move(*members->message)};
}

Result<TypingBody> parse_typing_body(std::string_view body) {
  constexpr std::string_view kExpected = R"({"roomId":"<uuid>","typing":true})";
  const auto members = parse(body, kExpected);
  if (!members) return members.error();
  if (!members->typing) return not_as(kExpected);
  const auto room = room_of(*members);
  if (!room) return room.error();
  return TypingBody{*room, *members->typing};
}

}  // namespace rtc::server

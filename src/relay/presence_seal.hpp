// What nodes tell each other of people, as bytes that nobody else can make: the key comes from what
// all nodes of one store share. Any thread.
//
//   of a person, in Redis: HMAC-SHA256 cut to 16 bytes, nickname, name tag
//   who types, published: 'T', version 1, node (8 bytes), room (16), count (2), the people (id of
//   16 bytes, nickname, name tag), HMAC-SHA256 cut to 16 bytes
//
// Texts have a byte of length before them; numbers are little-endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chat/presence_types.hpp"
#include "relay/sealed_bytes.hpp"

namespace rtc::relay {

class PresenceSeal {
 public:
  // `secret`: the tokens'; `epoch`: the store's.
  PresenceSeal(std::string_view secret, std::string_view epoch);

  std::string person(const RoomId& room, const chat::Person& person) const;
  // Nothing: forged, broken, another store's, or of somebody or somewhere else.
  std::optional<chat::Person> open_person(const RoomId& room, const UserId& id,
                                          std::string_view bytes) const;

  // At most 65,535 people.
  std::string typing(const chat::OwnTyping& typing) const;
  struct Typing {
    bool own = false;  // this object made it; nothing else was looked at
    std::uint64_t node = 0;
    std::vector<chat::Person> people;
  };
  // Nothing: as above.
  std::optional<Typing> open_typing(const RoomId& room, std::string_view bytes) const;

 private:
  Seal seal_;
  std::uint64_t node_ = 0;
};

}  // namespace rtc::relay

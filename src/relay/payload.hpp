// Committed messages of one room as the bytes that nodes send each other.
//
//   version 1, node (8 bytes), room (16), count (2), the messages, HMAC-SHA256 cut to 16 bytes
//   a message: id (8), created_at_ms (8), sender (16), nickname, name tag and address (a byte of
//   length each), text (4 bytes of length)
//
// Numbers are little-endian. The key comes from what all nodes of one store share and nobody else
// has, so nobody who can only reach the relay can speak for a node.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/message.hpp"

namespace rtc::relay {

class Payloads {
 public:
  static constexpr std::size_t kMessagesMax = 65535;
  // Of a payload's texts, unless one alone has more.
  static constexpr std::size_t kTextBytes = 256 << 10;
  static constexpr std::size_t kBytesMax = 4 << 20;  // longer ones are refused unread

  // `secret`: the tokens'; `epoch`: the store's, so payloads of another store are refused.
  Payloads(std::string_view secret, std::string_view epoch);

  // All of one room, 1 to kMessagesMax of them.
  std::string encode(std::span<const chat::Message* const> messages) const;

  struct Decoded {
    bool own = false;                     // this object encoded it
    std::vector<chat::Message> messages;  // else: one at least, ids ascending
  };
  // Nothing: forged, broken, of another version, another store's, or not of that room.
  std::optional<Decoded> decode(const RoomId& room, std::string_view payload) const;

 private:
  static constexpr std::size_t kMacBytes = 16;
  std::array<std::uint8_t, kMacBytes> mac(std::string_view bytes) const;

  std::array<std::uint8_t, 32> key_{};
  std::array<std::uint8_t, 8> node_{};
};

}  // namespace rtc::relay

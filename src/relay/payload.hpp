// Messages of one room, and news for one person, as the bytes that nodes send each other.
//
//   committed messages: 1, node (8 bytes), room (16), the messages, MAC
//   of a room without history: 2, node, sequence (8), room, the messages, MAC
//   news: 3, node, sequence, person (16), text (4 bytes of length), MAC
//   the messages: relay/message_bytes.hpp; the MAC: relay/sealed_bytes.hpp
//
// Numbers are little-endian. Nobody who can only reach the relay can speak for a node.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/relay.hpp"
#include "relay/sealed_bytes.hpp"

namespace rtc::relay {

class Payloads {
 public:
  static constexpr std::size_t kMessagesMax = 65535;
  // About, of what one payload is given, unless one message alone has more.
  static constexpr std::size_t kTextBytes = 256 << 10;
  static constexpr std::size_t kLiveTextBytes = 3 << 20;  // nothing else keeps them in one piece
  static constexpr std::size_t kBytesMax = 4 << 20;       // longer ones are refused unread

  // `secret`: the tokens'; `epoch`: the store's, so payloads of another store are refused.
  Payloads(std::string_view secret, std::string_view epoch);

  // All of one room, 1 to kMessagesMax of them.
  std::string encode(std::span<const chat::Message* const> messages) const;
  // What is stored nowhere. A node numbers these payloads, 1, 2, 3 …, so that the others take none
  // twice.
  std::string encode_live(std::span<const chat::Message* const> messages,
                          std::uint64_t sequence) const;
  std::string encode(const chat::UserNews& news, std::uint64_t sequence) const;

  using Node = std::array<std::uint8_t, 8>;
  struct Decoded {
    bool own = false;  // this object encoded it; then nothing below is there
    Node node{};
    std::uint64_t sequence = 0;           // 0: of committed messages
    std::vector<chat::Message> messages;  // one at least, ids ascending
    std::optional<chat::UserNews> news;   // in place of messages
  };
  // Nothing: forged, broken, of another version, another store's, or not of that room.
  std::optional<Decoded> decode(const RoomId& room, std::string_view payload) const;
  std::optional<Decoded> decode_news(std::string_view payload) const;

 private:
  std::string begin(char kind, std::uint64_t sequence, const Uuid& about, std::size_t bytes) const;
  std::string encode(char kind, std::span<const chat::Message* const> messages,
                     std::uint64_t sequence) const;
  // Of a payload to be believed: its kind, who sent it, and as `rest` what stands behind that.
  std::optional<Decoded> open(std::string_view payload, char& kind, std::string_view& rest) const;

  Seal seal_;
  Node node_{};
};

}  // namespace rtc::relay

// A room's newest messages as the bytes that nodes keep in Redis, and that nobody else can make:
// version 1, room (16 bytes), the messages (relay/message_bytes.hpp), MAC (relay/sealed_bytes.hpp).
// Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/message_bytes.hpp"

namespace rtc::relay {

class PageSeal {
 public:
  // `secret`: the tokens'; `epoch`: the store's.
  PageSeal(std::string_view secret, std::string_view epoch);

  // 1 to 65,535 messages, oldest first.
  std::string page(const RoomId& room, const std::vector<chat::Message>& messages) const;
  // Nothing: forged, broken, another store's or room's, or with a hole in its ids.
  std::optional<std::vector<chat::Message>> open(const RoomId& room, std::string_view bytes) const;

 private:
  Seal seal_;
};

}  // namespace rtc::relay

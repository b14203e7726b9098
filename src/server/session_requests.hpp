// What a session keeps of a SEND while its room is looked up, and of a receipt until it may leave.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "chat/message.hpp"

namespace rtc::server {

struct SendRequest {
  chat::Draft draft;
  std::string receipt;                     // "": none was asked for
  std::optional<std::string> transaction;  // it joins that one instead of being stored
};

// A SEND or COMMIT that is being stored, or a receipt that waits for those before it.
struct Pending {
  std::uint32_t request = 0;
  std::uint32_t awaited = 0;    // outcomes, one a message; 0: its receipt may leave
  std::string receipt;          // "": none was asked for
  std::string_view ids_header;  // a literal: what the receipt calls `ids`
  std::string ids;              // of its messages, with commas between; "": it has none
};

}  // namespace rtc::server

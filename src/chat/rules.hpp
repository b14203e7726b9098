// What may be said, named and entered. Pure functions: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "chat/room.hpp"

namespace rtc::chat {

// A message's text: valid UTF-8, 1 to `bytes_max` bytes, not only white space (Unicode's).
// Otherwise invalid_message_format with the reason.
Result<void> check_text(std::string_view text, std::uint32_t bytes_max);

// A room's name without white space at its ends: valid UTF-8, 1 to `length_max` characters, no
// control characters or invisible ones that change how the rest is read. Otherwise
// invalid_parameter with the reason.
Result<std::string> clean_room_name(std::string_view name, std::uint32_t length_max);

// A room's topic in the same way; "" stands for none.
Result<std::string> clean_room_topic(std::string_view topic, std::uint32_t length_max);

// Who may read, write and subscribe: anyone an open room, its two members a direct one.
bool may_enter(const Room& room, const UserId& user);

}  // namespace rtc::chat

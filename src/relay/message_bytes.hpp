// Messages of one room as bytes, in what nodes send and keep for each other:
//
//   count (2 bytes), the messages; a message: id (8 bytes), created_at_ms (8), sender (16),
//   nickname, name tag and address (a byte of length each), text (4 bytes of length)
//
// Numbers are little-endian. Any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chat/message.hpp"
#include "relay/sealed_bytes.hpp"

namespace rtc::relay {

// About, of what put_messages() adds.
std::size_t bytes_of(std::span<const chat::Message* const> messages);
// At most 65,535.
void put_messages(std::string& out, std::span<const chat::Message* const> messages);
// Of that room, and the last thing that `reader` has. Nothing: broken, none, or ids that do not
// ascend.
std::optional<std::vector<chat::Message>> take_messages(Reader& reader, const RoomId& room,
                                                        bool live);

}  // namespace rtc::relay

// A batch of messages of many rooms as payloads of one room each.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "chat/message.hpp"
#include "relay/payload.hpp"

namespace rtc::relay {

// What a message is in a payload beside its text, at most.
constexpr std::size_t kMessageBytes = 160;

// The batch in parts of one room, of at most kMessagesMax messages and so many bytes, or one
// message; those of a room in the order of the batch.
using OnPart =
    std::function<void(const RoomId& room, std::span<const chat::Message* const> messages)>;
void split_by_room(const std::vector<chat::Message>& batch, std::size_t bytes_max,
                   const OnPart& on_part);

// A payload for each room in the batch, or more where its texts are long; of a room in the order of
// the batch.
using OnPayload =
    std::function<void(std::span<const chat::Message* const> messages, const std::string& payload)>;
void encode_batch(const Payloads& payloads, const std::vector<chat::Message>& batch,
                  const OnPayload& on_payload);

}  // namespace rtc::relay

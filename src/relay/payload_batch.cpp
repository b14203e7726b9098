#include "relay/payload_batch.hpp"

#include <map>

namespace rtc::relay {

void split_by_room(const std::vector<chat::Message>& batch, std::size_t bytes_max,
                   const OnPart& on_part) {
  std::map<RoomId, std::vector<const chat::Message*>> rooms;
  for (const chat::Message& each : batch) rooms[each.room].push_back(&each);
  for (const auto& [room, messages] : rooms) {
    for (std::size_t from = 0; from < messages.size();) {
      std::size_t to = from;
      for (std::size_t bytes = 0; to < messages.size() && to - from < Payloads::kMessagesMax;
           ++to) {
        bytes += messages[to]->text.size() + kMessageBytes;
        if (to > from && bytes > bytes_max) break;
      }
      on_part(room, std::span(messages).subspan(from, to - from));
      from = to;
    }
  }
}

void encode_batch(const Payloads& payloads, const std::vector<chat::Message>& batch,
                  const OnPayload& on_payload) {
  split_by_room(batch, Payloads::kTextBytes,
                [&](const RoomId&, std::span<const chat::Message* const> part) {
                  on_payload(part, payloads.encode(part));
                });
}

}  // namespace rtc::relay

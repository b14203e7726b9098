#include "relay/payload_batch.hpp"

#include <map>

namespace rtc::relay {

void encode_batch(const Payloads& payloads, const std::vector<chat::Message>& batch,
                  const OnPayload& on_payload) {
  std::map<RoomId, std::vector<const chat::Message*>> rooms;
  for (const chat::Message& each : batch) rooms[each.room].push_back(&each);
  for (const auto& [room, messages] : rooms) {
    for (std::size_t from = 0; from < messages.size();) {
      std::size_t to = from;
      for (std::size_t bytes = 0; to < messages.size() && to - from < Payloads::kMessagesMax;
           ++to) {
        bytes += messages[to]->text.size();
        if (to > from && bytes > Payloads::kTextBytes) break;
      }
      const auto some = std::span(messages).subspan(from, to - from);
      on_payload(some, payloads.encode(some));
      from = to;
    }
  }
}

}  // namespace rtc::relay

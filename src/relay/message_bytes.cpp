#include "relay/message_bytes.hpp"

#include <utility>

namespace rtc::relay {
namespace {

constexpr MessageId kIdMax = (MessageId{1} << 53) - 1;

}  // namespace

std::size_t bytes_of(std::span<const chat::Message* const> messages) {
  std::size_t bytes = 0;
  for (const chat::Message* each : messages) bytes += each->text.size() + 128;
  return bytes;
}

void put_messages(std::string& out, std::span<const chat::Message* const> messages) {
  put(out, static_cast<std::uint16_t>(messages.size()));
  for (const chat::Message* each : messages) {
    put(out, each->id);
    put(out, each->created_at_ms);
    put_bytes(out, each->sender.id().value.bytes);
    put_short(out, each->sender.nickname());
    put_short(out, each->sender.name_tag());
    put_short(out, each->sender.address());
    put(out, static_cast<std::uint32_t>(each->text.size()));
    out += each->text;
  }
}

std::optional<std::vector<chat::Message>> take_messages(Reader& reader, const RoomId& room,
                                                        bool live) {
  std::vector<chat::Message> messages;
  const auto count = reader.number<std::uint16_t>();
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    chat::Message message;
    message.room = room;
    message.live = live;
    message.id = reader.number<MessageId>();
    message.created_at_ms = reader.number<std::int64_t>();
    chat::Identity sender;
    sender.id.value = reader.uuid();
    sender.nickname = reader.short_text();
    sender.name_tag = reader.short_text();
    sender.address = reader.short_text();
    message.sender = chat::SharedIdentity(sender);
    message.text = reader.take(reader.number<std::uint32_t>());
    const MessageId before = messages.empty() ? 0 : messages.back().id;
    if (message.id <= before || message.id > kIdMax) return std::nullopt;
    messages.push_back(std::move(message));
  }
  if (count == 0 || !reader.whole()) return std::nullopt;
  return messages;
}

}  // namespace rtc::relay

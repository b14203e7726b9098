#include "relay/page_seal.hpp"

namespace rtc::relay {
namespace {

constexpr char kVersion = 1;

}  // namespace

PageSeal::PageSeal(std::string_view secret, std::string_view epoch)
    : seal_("realtimechat page", secret, epoch) {}

std::string PageSeal::page(const RoomId& room, const std::vector<chat::Message>& messages) const {
  std::vector<const chat::Message*> all;
  all.reserve(messages.size());
  for (const chat::Message& each : messages) all.push_back(&each);
  std::string out;
  out.reserve(bytes_of(all) + 64);
  out.push_back(kVersion);
  put_bytes(out, room.value.bytes);
  put_messages(out, all);
  put_bytes(out, seal_.mac(out));
  return out;
}

std::optional<std::vector<chat::Message>> PageSeal::open(const RoomId& room,
                                                         std::string_view bytes) const {
  if (bytes.size() < Seal::kBytes) return std::nullopt;
  const std::string_view body = bytes.substr(0, bytes.size() - Seal::kBytes);
  if (!seal_.is_mac(bytes.substr(body.size()), body)) return std::nullopt;
  Reader reader(body);
  if (reader.number<char>() != kVersion || reader.uuid() != room.value) return std::nullopt;
  auto messages = take_messages(reader, room, false);
  if (!messages) return std::nullopt;
  const MessageId first = messages->front().id;
  if (messages->back().id - first + 1 != messages->size()) return std::nullopt;
  return messages;
}

}  // namespace rtc::relay

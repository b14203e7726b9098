#include "relay/presence_seal.hpp"

#include <array>
#include <cstring>

#include "base/random.hpp"

namespace rtc::relay {
namespace {

constexpr std::string_view kTypingHead("T\1", 2);

// What a person's HMAC is made of; never begins as a typing notice does.
std::string signed_person(const RoomId& room, const UserId& id, std::string_view texts) {
  std::string bytes = "P";
  put_bytes(bytes, room.value.bytes);
  put_bytes(bytes, id.value.bytes);
  bytes += texts;
  return bytes;
}

}  // namespace

PresenceSeal::PresenceSeal(std::string_view secret, std::string_view epoch)
    : seal_("realtimechat presence", secret, epoch) {
  std::array<std::uint8_t, sizeof node_> random{};
  fill_random(random);
  std::memcpy(&node_, random.data(), random.size());
}

std::string PresenceSeal::person(const RoomId& room, const chat::Person& person) const {
  std::string texts;
  put_short(texts, person.nickname);
  put_short(texts, person.name_tag);
  std::string out;
  put_bytes(out, seal_.mac(signed_person(room, person.id, texts)));
  return out + texts;
}

std::optional<chat::Person> PresenceSeal::open_person(const RoomId& room, const UserId& id,
                                                      std::string_view bytes) const {
  Reader reader(bytes);
  const std::string_view found = reader.take(Seal::kBytes);
  const std::string_view texts = bytes.substr(found.size());
  if (!seal_.is_mac(found, signed_person(room, id, texts))) return std::nullopt;
  chat::Person person{id, reader.short_text(), ""};
  person.name_tag = reader.short_text();
  if (!reader.whole()) return std::nullopt;
  return person;
}

std::string PresenceSeal::typing(const chat::OwnTyping& typing) const {
  std::string out(kTypingHead);
  put(out, node_);
  put_bytes(out, typing.room.value.bytes);
  put(out, static_cast<std::uint16_t>(typing.people.size()));
  for (const chat::Person& each : typing.people) {
    put_bytes(out, each.id.value.bytes);
    put_short(out, each.nickname);
    put_short(out, each.name_tag);
  }
  put_bytes(out, seal_.mac(out));
  return out;
}

std::optional<PresenceSeal::Typing> PresenceSeal::open_typing(const RoomId& room,
                                                              std::string_view bytes) const {
  if (bytes.size() < Seal::kBytes) return std::nullopt;
  const std::string_view body = bytes.substr(0, bytes.size() - Seal::kBytes);
  Reader reader(body);
  if (reader.take(kTypingHead.size()) != kTypingHead) return std::nullopt;
  Typing typing;
  typing.node = reader.number<std::uint64_t>();
  typing.own = typing.node == node_;
  // Unread: who forges this only has his notice ignored.
  if (typing.own) return typing;
  if (!seal_.is_mac(bytes.substr(body.size()), body)) return std::nullopt;
  if (reader.uuid() != room.value) return std::nullopt;
  for (auto count = reader.number<std::uint16_t>(); count > 0; --count) {
    chat::Person person{UserId{reader.uuid()}, "", ""};
    person.nickname = reader.short_text();
    person.name_tag = reader.short_text();
    typing.people.push_back(std::move(person));
  }
  if (!reader.whole()) return std::nullopt;
  return typing;
}

}  // namespace rtc::relay

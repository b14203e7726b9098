#include "relay/presence_seal.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <span>

#include "base/random.hpp"

namespace rtc::relay {
namespace {

constexpr std::string_view kTypingHead("T\1", 2);

void put_uuid(std::string& out, const Uuid& id) {
  for (const std::uint8_t byte : id.bytes) out.push_back(static_cast<char>(byte));
}
void put_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}
// At most 255 bytes, as chat::SharedIdentity keeps them.
void put_text(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size()));
  out += text;
}

// Takes from the front; what is not there any more is empty, and failed() says so.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::size_t size) {
    failed_ = failed_ || size > rest_.size();
    if (failed_) return {};
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    const std::string_view bytes = take(size);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= std::uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
    }
    return value;
  }
  Uuid uuid() {
    Uuid id;
    const std::string_view bytes = take(id.bytes.size());
    if (!failed_) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
    return id;
  }
  std::string text() { return std::string(take(number(1))); }
  bool whole() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

// What a person's HMAC is made of; never begins as a typing notice does.
std::string signed_person(const RoomId& room, const UserId& id, std::string_view texts) {
  std::string bytes = "P";
  put_uuid(bytes, room.value);
  put_uuid(bytes, id.value);
  bytes += texts;
  return bytes;
}

void hmac(std::span<const std::uint8_t> key, std::string_view bytes,
          std::array<std::uint8_t, 32>& out) {
  unsigned size = 0;
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &size);
}

}  // namespace

PresenceSeal::PresenceSeal(std::string_view secret, std::string_view epoch) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size());
  hmac(bytes, "realtimechat presence " + std::string(epoch), key_);
  std::array<std::uint8_t, sizeof node_> random{};
  fill_random(random);
  std::memcpy(&node_, random.data(), random.size());
}

PresenceSeal::Mac PresenceSeal::mac(std::string_view bytes) const {
  std::array<std::uint8_t, 32> whole{};
  hmac(key_, bytes, whole);
  Mac cut{};
  std::copy_n(whole.begin(), cut.size(), cut.begin());
  return cut;
}

bool PresenceSeal::is_mac(std::string_view mac_bytes, std::string_view bytes) const {
  const Mac expected = mac(bytes);
  return mac_bytes.size() == expected.size() &&
         ::CRYPTO_memcmp(expected.data(), mac_bytes.data(), expected.size()) == 0;
}

std::string PresenceSeal::person(const RoomId& room, const chat::Person& person) const {
  std::string texts;
  put_text(texts, person.nickname);
  put_text(texts, person.name_tag);
  std::string out;
  for (const std::uint8_t byte : mac(signed_person(room, person.id, texts))) {
    out.push_back(static_cast<char>(byte));
  }
  return out + texts;
}

std::optional<chat::Person> PresenceSeal::open_person(const RoomId& room, const UserId& id,
                                                      std::string_view bytes) const {
  Reader reader(bytes);
  const std::string_view found = reader.take(kMacBytes);
  const std::string_view texts = bytes.substr(found.size());
  if (!is_mac(found, signed_person(room, id, texts))) return std::nullopt;
  chat::Person person{id, reader.text(), ""};
  person.name_tag = reader.text();
  if (!reader.whole()) return std::nullopt;
  return person;
}

std::string PresenceSeal::typing(const chat::OwnTyping& typing) const {
  std::string out(kTypingHead);
  put_number(out, node_, sizeof node_);
  put_uuid(out, typing.room.value);
  put_number(out, typing.people.size(), 2);
  for (const chat::Person& each : typing.people) {
    put_uuid(out, each.id.value);
    put_text(out, each.nickname);
    put_text(out, each.name_tag);
  }
  for (const std::uint8_t byte : mac(out)) out.push_back(static_cast<char>(byte));
  return out;
}

std::optional<PresenceSeal::Typing> PresenceSeal::open_typing(const RoomId& room,
                                                              std::string_view bytes) const {
  if (bytes.size() < kMacBytes) return std::nullopt;
  const std::string_view body = bytes.substr(0, bytes.size() - kMacBytes);
  Reader reader(body);
  if (reader.take(kTypingHead.size()) != kTypingHead) return std::nullopt;
  Typing typing;
  typing.node = reader.number(sizeof node_);
  typing.own = typing.node == node_;
  // Unread: who forges this only has his notice ignored.
  if (typing.own) return typing;
  if (!is_mac(bytes.substr(body.size()), body)) return std::nullopt;
  if (reader.uuid() != room.value) return std::nullopt;
  for (std::uint64_t count = reader.number(2); count > 0; --count) {
    chat::Person person{UserId{reader.uuid()}, "", ""};
    person.nickname = reader.text();
    person.name_tag = reader.text();
    typing.people.push_back(std::move(person));
  }
  if (!reader.whole()) return std::nullopt;
  return typing;
}

}  // namespace rtc::relay

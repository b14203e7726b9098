#include "relay/sealed_bytes.hpp"

#include <algorithm>
#include <cstring>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace rtc::relay {
namespace {

std::array<std::uint8_t, 32> hmac(std::span<const std::uint8_t> key, std::string_view bytes) {
  std::array<std::uint8_t, 32> out{};
  unsigned size = 0;
  ::HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), out.data(), &size);
  return out;
}

}  // namespace

void put_bytes(std::string& out, std::span<const std::uint8_t> bytes) {
  for (const std::uint8_t byte : bytes) out.push_back(static_cast<char>(byte));
}

void put_short(std::string& out, std::string_view text) {
  out.push_back(static_cast<char>(text.size()));
  out += text;
}

std::string_view Reader::take(std::size_t size) {
  failed_ = failed_ || size > rest_.size();
  if (failed_) return {};
  const std::string_view taken = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return taken;
}

std::string Reader::short_text() {
  return std::string(take(number<std::uint8_t>()));
}

Uuid Reader::uuid() {
  Uuid id;
  const std::string_view bytes = take(id.bytes.size());
  if (!failed_) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

Seal::Seal(std::string_view use, std::string_view secret, std::string_view epoch)
    : key_(hmac(std::span(reinterpret_cast<const std::uint8_t*>(secret.data()), secret.size()),
                std::string(use) + " " + std::string(epoch))) {}

Seal::Mac Seal::mac(std::string_view bytes) const {
  const auto whole = hmac(key_, bytes);
  Mac cut{};
  std::copy_n(whole.begin(), cut.size(), cut.begin());
  return cut;
}

bool Seal::is_mac(std::string_view mac_bytes, std::string_view bytes) const {
  const Mac expected = mac(bytes);
  return mac_bytes.size() == expected.size() &&
         ::CRYPTO_memcmp(expected.data(), mac_bytes.data(), expected.size()) == 0;
}

}  // namespace rtc::relay

// The checks of RFC 6455, section 4.2.1, in the order in which they help a client most.
#include "websocket/handshake.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <openssl/evp.h>

namespace rtc::websocket {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kSha1Bytes = 20;
constexpr std::size_t kKeyChars = 24;  // 16 bytes in base64

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// Whether an element of the comma-separated list satisfies `matches`.
template <class Predicate>
bool any_element(std::string_view list, Predicate matches) {
  while (true) {
    const std::size_t comma = list.find(',');
    if (matches(trim(list.substr(0, comma)))) return true;
    if (comma == std::string_view::npos) return false;
    list.remove_prefix(comma + 1);
  }
}

bool has_token(std::string_view list, std::string_view token) {
  return any_element(list, [&](std::string_view e) { return equal_ignoring_case(e, token); });
}

bool is_key(std::string_view key) {
  const auto is_base64 = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  };
  return key.size() == kKeyChars && key.ends_with("==") &&
         std::all_of(key.begin(), key.end() - 2, is_base64);
}

bool refuse(Refusal& refusal, ErrorCode code, std::string message) {
  refusal.error = {code, std::move(message)};
  return false;
}

}  // namespace

bool wants_websocket(std::string_view upgrade_header) {
  return has_token(upgrade_header, "websocket");
}

bool accept_upgrade(const UpgradeRequest& request, std::span<const std::string_view> supported,
                    UpgradeAnswer& answer, Refusal& refusal) {
  refusal = {};
  if (request.method != "GET") {
    return refuse(refusal, ErrorCode::method_not_allowed, "WebSocket is opened with GET.");
  }
  if (request.http_version < 11) {
    return refuse(refusal, ErrorCode::invalid_parameter, "WebSocket needs HTTP/1.1.");
  }
  if (!wants_websocket(request.upgrade)) {
    return refuse(refusal, ErrorCode::invalid_parameter, "Upgrade must name websocket.");
  }
  if (!has_token(request.connection, "upgrade")) {
    return refuse(refusal, ErrorCode::invalid_parameter, "Connection must name Upgrade.");
  }
  if (request.version != "13") {
    refusal.wrong_version = true;
    return refuse(refusal, ErrorCode::invalid_parameter, "Sec-WebSocket-Version must be 13.");
  }
  if (!is_key(request.key)) {
    return refuse(refusal, ErrorCode::invalid_parameter,
                  "Sec-WebSocket-Key must be 16 bytes in base64.");
  }
  auto extensions = agree_extensions(request.extensions);
  if (!extensions) {
    return refuse(refusal, ErrorCode::invalid_parameter, "Sec-WebSocket-Extensions is malformed.");
  }
  answer.extensions = std::move(*extensions);
  answer.accept = accept_key(request.key);
  answer.protocol = {};
  for (const std::string_view protocol : supported) {
    if (any_element(request.protocol, [&](std::string_view e) { return e == protocol; })) {
      answer.protocol = protocol;
      break;
    }
  }
  return true;
}

std::string accept_key(std::string_view key) {
  std::string text(key);
  text.append(kGuid);
  std::array<unsigned char, kSha1Bytes> digest{};
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr) != 1 ||
      size != digest.size()) {
    std::abort();  // OpenSSL without SHA-1: no handshake can be answered
  }
  std::array<unsigned char, 4 * ((kSha1Bytes + 2) / 3) + 1> base64{};
  const int chars = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return {base64.begin(), base64.begin() + chars};
}

}  // namespace rtc::websocket

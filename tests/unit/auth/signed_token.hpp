// Tokens made without libjwt, so that tests and the fuzzer can sign what issue() never would.
#pragma once

#include <algorithm>
#include <array>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string>
#include <string_view>

namespace rtc::auth {

inline std::string base64url(std::string_view bytes) {
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and OpenSSL's NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                   reinterpret_cast<const unsigned char*>(bytes.data()),
                                   static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

// RFC 7515 compact form; the HMAC of `digest` (HS256 unless told).
inline std::string signed_token(std::string_view header, std::string_view payload,
                                std::string_view secret, const EVP_MD* digest = EVP_sha256()) {
  const std::string signed_part = base64url(header) + "." + base64url(payload);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned size = 0;
  HMAC(digest, secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(signed_part.data()), signed_part.size(), code.data(),
       &size);
  return signed_part + "." + base64url({reinterpret_cast<const char*>(code.data()), size});
}

}  // namespace rtc::auth

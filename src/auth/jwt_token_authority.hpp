// JSON Web Tokens (RFC 7519) through libjwt, HS256 only.
//
// Claims: jti (the identity's UUID), iss, sub (name tag), randId (nickname), aud (an array, first
// element the masked address), iat, nbf = iat - 600, exp. Extra claims are ignored.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "chat/token_authority.hpp"

namespace rtc::auth {

struct JwtOptions {
  std::string secret;  // HMAC key, at least 32 bytes (RFC 7518, section 3.2)
  std::string issuer;
  std::int64_t lifetime_s = 0;
};

class JwtTokenAuthority final : public chat::TokenAuthority {
 public:
  // Throws std::invalid_argument on a secret that is too short.
  explicit JwtTokenAuthority(JwtOptions options);

  std::string issue(const chat::Identity& identity, std::int64_t now_s) const override;
  chat::TokenCheck check(std::string_view token, std::int64_t now_s) const override;

 private:
  JwtOptions options_;
};

// The secret kept in `file`; made of 48 random bytes (as base64 text) at the first start, with its
// directory; of two that start at once, both get the first one's. The file is readable and writable
// by its owner only (0600): one that others can use is refused with a message that says how to mend
// it. Durable before it is used. Line ends behind it do not count. Errors are for start-up.
Result<std::string> load_or_create_secret(const std::filesystem::path& file);

}  // namespace rtc::auth

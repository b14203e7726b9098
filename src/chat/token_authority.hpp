// The port to tokens: who may say who he is. Adapter: auth/jwt_token_authority. Any thread; no I/O.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "chat/identity.hpp"

namespace rtc::chat {

struct TokenCheck {
  enum class Verdict { valid, expired, invalid };
  Verdict verdict = Verdict::invalid;
  Identity identity;              // valid and expired: the token's; invalid: not set
  std::int64_t expires_at_s = 0;  // valid and expired: `exp`, Unix time in seconds
};

class TokenAuthority {
 public:
  virtual ~TokenAuthority() = default;

  // A signed token for that identity, valid from `now_s` (Unix seconds) for the token_lifetime.
  virtual std::string issue(const Identity& identity, std::int64_t now_s) const = 0;

  // `expired` only when everything else about the token holds: algorithm, signature, issuer, nbf
  // and the shape of every claim.
  virtual TokenCheck check(std::string_view token, std::int64_t now_s) const = 0;
};

}  // namespace rtc::chat

// JwtTokenAuthority::check over any bytes: as a token, and as the payload of a token that is
// rightly signed (first byte 's'). What it takes for an identity must survive issue() and check()
// again.
#include <cstdlib>

#include "../tests/unit/auth/signed_token.hpp"
#include "auth/jwt_token_authority.hpp"

namespace {

using rtc::chat::TokenCheck;

constexpr std::int64_t kNow = 1'700'000'000;
const std::string kSecret = "an-example-secret-of-forty-two-characters!";

void check_round_trip(const rtc::auth::JwtTokenAuthority& authority, const TokenCheck& check) {
  if (check.verdict == TokenCheck::Verdict::invalid) return;
  const auto again = authority.check(authority.issue(check.identity, kNow), kNow);
  const bool same = again.verdict == TokenCheck::Verdict::valid &&
                    again.identity.id == check.identity.id &&
                    again.identity.nickname == check.identity.nickname &&
                    again.identity.name_tag == check.identity.name_tag &&
                    again.identity.address == check.identity.address;
  if (!same) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const rtc::auth::JwtTokenAuthority authority({kSecret, "realtimechat", 3'600});
  std::string_view input(reinterpret_cast<const char*>(data), size);
  if (input.starts_with('s')) {
    input.remove_prefix(1);
    const auto token = rtc::auth::signed_token(R"({"alg":"HS256"})", input, kSecret);
    check_round_trip(authority, authority.check(token, kNow));
  } else {
    check_round_trip(authority, authority.check(input, kNow));
  }
  return 0;
}

#include "auth/jwt_token_authority.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>
#include <vector>

#include "unit/auth/signed_token.hpp"

namespace rtc::auth {
namespace {

namespace json = boost::json;
using Verdict = chat::TokenCheck::Verdict;

constexpr std::int64_t kNow = 1'700'000'000;
constexpr std::int64_t kLifetime = 3'600;
const std::string kSecret = "an-example-secret-of-forty-two-characters!";
const std::string kHeader = R"({"alg":"HS256","typ":"JWT"})";

JwtTokenAuthority authority() {
  return JwtTokenAuthority({kSecret, "realtimechat", kLifetime});
}

chat::Identity squirrel() {
  return {*UserId::parse("0f8fad5b-d9cb-469f-a165-70867728950e"), "다람쥐42", "#0A1B2C", "203.0"};
}

json::object good_claims() {
  return {{"jti", "0f8fad5b-d9cb-469f-a165-70867728950e"},
          {"iss", "realtimechat"},
          {"sub", "#0A1B2C"},
          {"randId", "다람쥐42"},
          {"aud", json::array{"203.0"}},
          {"iat", kNow},
          {"nbf", kNow - 600},
          {"exp", kNow + kLifetime}};
}

chat::TokenCheck check_payload(std::string_view payload) {
  return authority().check(signed_token(kHeader, payload, kSecret), kNow);
}

Verdict verdict_with(std::string_view claim, const json::value& value) {
  json::object claims = good_claims();
  claims[claim] = value;
  return check_payload(json::serialize(claims)).verdict;
}

Verdict verdict_without(std::string_view claim) {
  json::object claims = good_claims();
  claims.erase(claim);
  return check_payload(json::serialize(claims)).verdict;
}

void expect_squirrel(const chat::TokenCheck& check) {
  EXPECT_EQ(check.identity.id, squirrel().id);
  EXPECT_EQ(check.identity.nickname, squirrel().nickname);
  EXPECT_EQ(check.identity.name_tag, squirrel().name_tag);
  EXPECT_EQ(check.identity.address, squirrel().address);
}

std::string decoded_payload(const std::string& token) {
  const auto first = token.find('.');
  std::string part = token.substr(first + 1, token.rfind('.') - first - 1);
  for (char& c : part) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (part.size() % 4 != 0) part += '=';
  std::string bytes(part.size() / 4 * 3, '\0');
  EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                  reinterpret_cast<const unsigned char*>(part.data()),
                  static_cast<int>(part.size()));
  bytes.resize(bytes.rfind('}') + 1);
  return bytes;
}

TEST(JwtTokenAuthority, ChecksWhatItIssued) {
  const auto check = authority().check(authority().issue(squirrel(), kNow), kNow);
  EXPECT_EQ(check.verdict, Verdict::valid);
  EXPECT_EQ(check.expires_at_s, kNow + kLifetime);
  expect_squirrel(check);
}

TEST(JwtTokenAuthority, IssuesTheClaimsOfTheContract) {
  const auto claims = json::parse(decoded_payload(authority().issue(squirrel(), kNow)));
  EXPECT_EQ(claims.as_object(), good_claims());
}

TEST(JwtTokenAuthority, CarriesAnyNameAndAddress) {
  for (const auto* name : {"\"", "\\", "</script>", "😀😀", "a b", "\xC2\xA0"}) {
    auto identity = squirrel();
    identity.nickname = name;
    identity.address = "";
    const auto check = authority().check(authority().issue(identity, kNow), kNow);
    EXPECT_EQ(check.verdict, Verdict::valid) << name;
    EXPECT_EQ(check.identity.nickname, name);
    EXPECT_EQ(check.identity.address, "");
  }
}

TEST(JwtTokenAuthority, ExpiresAtTheSecond) {
  const auto token = authority().issue(squirrel(), kNow);
  EXPECT_EQ(authority().check(token, kNow + kLifetime - 1).verdict, Verdict::valid);
  const auto expired = authority().check(token, kNow + kLifetime);
  EXPECT_EQ(expired.verdict, Verdict::expired);
  EXPECT_EQ(expired.expires_at_s, kNow + kLifetime);
  expect_squirrel(expired);
}

TEST(JwtTokenAuthority, IsNotValidBeforeItsTime) {
  const auto token = authority().issue(squirrel(), kNow);
  EXPECT_EQ(authority().check(token, kNow - 600).verdict, Verdict::valid);
  EXPECT_EQ(authority().check(token, kNow - 601).verdict, Verdict::invalid);
}

TEST(JwtTokenAuthority, TakesATokenOfAnotherImplementation) {
  // Signed once by Python's hmac module, header and spaces its own.
  const auto check = authority().check(
      "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJqdGkiOiAiMGY4ZmFkNWItZDljYi00NjlmLWExNjUtNzA"
      "4Njc3Mjg5NTBlIiwgImlzcyI6ICJyZWFsdGltZWNoYXQiLCAic3ViIjogIiMwQTFCMkMiLCAicmFuZElkIjo"
      "gIlx1YjJlNFx1Yjc4Y1x1Yzk1MDQyIiwgImF1ZCI6IFsiMjAzLjAiXSwgImlhdCI6IDE3MDAwMDAwMDAsICJ"
      "uYmYiOiAxNjk5OTk5NDAwLCAiZXhwIjogMTcwMDAwMzYwMH0.0UMmT1bo2rq0N7gOFv377OUDZCchZlghwYo"
      "onkA0RVk",
      kNow + 1);
  EXPECT_EQ(check.verdict, Verdict::valid);
  EXPECT_EQ(check.expires_at_s, kNow + kLifetime);
  expect_squirrel(check);
}

TEST(JwtTokenAuthority, RefusesOtherAlgorithms) {
  const auto payload = json::serialize(good_claims());
  const auto verdict = [&](std::string_view header, const EVP_MD* digest) {
    return authority().check(signed_token(header, payload, kSecret, digest), kNow).verdict;
  };
  EXPECT_EQ(verdict(kHeader, EVP_sha256()), Verdict::valid);
  EXPECT_EQ(verdict(R"({"alg":"HS256"})", EVP_sha256()), Verdict::valid);
  EXPECT_EQ(verdict(R"({"alg":"HS384"})", EVP_sha384()), Verdict::invalid);
  EXPECT_EQ(verdict(R"({"alg":"HS512"})", EVP_sha512()), Verdict::invalid);
  for (const auto* header : {R"({"alg":"none"})",
                             R"({"alg":"None"})",
                             R"({"alg":"HS384"})",
                             R"({"alg":"RS256"})",
                             R"({"alg":"ES256"})",
                             R"({"alg":"PS256"})",
                             R"({"alg":"EdDSA"})",
                             R"({"alg":""})",
                             R"({"alg":null})",
                             R"({"alg":256})",
                             R"({"alg":["HS256"]})",
                             R"({"typ":"JWT"})",
                             "{}",
                             "[]",
                             "null",
                             "",
                             "HS256",
                             R"({"alg":"HS256")",
                             R"({"alg":"HS256"}x)",
                             R"({"alg":"HS256","alg":"none"})",
                             R"({"alg":"hs256"})",
                             R"({"alg":"HS256\u0000"})"}) {
    EXPECT_EQ(verdict(header, EVP_sha256()), Verdict::invalid) << header;
    const auto unsigned_token = base64url(header) + "." + base64url(payload) + ".";
    EXPECT_EQ(authority().check(unsigned_token, kNow).verdict, Verdict::invalid) << header;
  }
}

TEST(JwtTokenAuthority, RefusesAnotherSecret) {
  auto secret = kSecret;
  secret.back() ^= 1;
  const auto payload = json::serialize(good_claims());
  EXPECT_EQ(authority().check(signed_token(kHeader, payload, secret), kNow).verdict,
            Verdict::invalid);
  EXPECT_EQ(authority().check(signed_token(kHeader, payload, ""), kNow).verdict, Verdict::invalid);
}

TEST(JwtTokenAuthority, UsesTheWholeSecret) {
  const std::string one = std::string(32, 'k') + '\0' + "one";
  const std::string two = std::string(32, 'k') + '\0' + "two";
  const auto token = JwtTokenAuthority({one, "realtimechat", 60}).issue(squirrel(), kNow);
  EXPECT_EQ(JwtTokenAuthority({one, "realtimechat", 60}).check(token, kNow).verdict,
            Verdict::valid);
  EXPECT_EQ(JwtTokenAuthority({two, "realtimechat", 60}).check(token, kNow).verdict,
            Verdict::invalid);
}

TEST(JwtTokenAuthority, RefusesATokenAlteredInAnyByte) {
  const auto good = authority().issue(squirrel(), kNow);
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      auto token = good;
      token[i] = static_cast<char>(byte);
      if (token == good) continue;
      ASSERT_EQ(authority().check(token, kNow).verdict, Verdict::invalid) << i << ' ' << byte;
    }
  }
}

TEST(JwtTokenAuthority, RefusesATokenCutOrExtendedAnywhere) {
  const auto good = authority().issue(squirrel(), kNow);
  for (std::size_t i = 0; i < good.size(); ++i) {
    ASSERT_EQ(authority().check(good.substr(0, i), kNow).verdict, Verdict::invalid) << i;
    auto token = good;
    for (const char extra : {'A', '=', '.', ' ', '\n', '\0'}) {
      ASSERT_EQ(authority().check(std::string(token).insert(i, 1, extra), kNow).verdict,
                Verdict::invalid)
          << i << ' ' << int{extra};
    }
  }
  using std::string_literals::operator""s;
  for (const auto& tail : {"A"s, "="s, "."s, ".A"s, " "s, "\n"s, "\0"s, "\0A"s}) {
    EXPECT_EQ(authority().check(good + tail, kNow).verdict, Verdict::invalid) << tail;
  }
  EXPECT_EQ(authority().check("Bearer " + good, kNow).verdict, Verdict::invalid);
}

TEST(JwtTokenAuthority, RefusesWhatIsNoToken) {
  for (const auto* text : {"", ".", "..", "...", "null", "undefined", "a.b", "a.b.c", "e30.e30.",
                           "e30.e30.e30", ".e30.", "다람쥐"}) {
    EXPECT_EQ(authority().check(text, kNow).verdict, Verdict::invalid) << text;
  }
}

TEST(JwtTokenAuthority, BoundsATokenAt4096Bytes) {
  const auto token_of = [](std::size_t padding) {
    auto claims = good_claims();
    claims["padding"] = std::string(padding, 'x');
    return signed_token(kHeader, json::serialize(claims), kSecret);
  };
  std::size_t padding = 2'500;
  while (token_of(padding).size() < 4'096) ++padding;
  EXPECT_EQ(token_of(padding).size(), 4'096U);
  EXPECT_EQ(authority().check(token_of(padding), kNow).verdict, Verdict::valid);
  EXPECT_EQ(authority().check(token_of(padding + 1), kNow).verdict, Verdict::invalid);
  EXPECT_EQ(authority().check(std::string(1 << 20, 'A'), kNow).verdict, Verdict::invalid);
}

TEST(JwtTokenAuthority, NeedsEveryClaim) {
  EXPECT_EQ(check_payload(json::serialize(good_claims())).verdict, Verdict::valid);
  for (const auto* claim : {"jti", "iss", "sub", "randId", "aud", "iat", "nbf", "exp"}) {
    EXPECT_EQ(verdict_without(claim), Verdict::invalid) << claim;
    for (const json::value& wrong :
         {json::value(nullptr), json::value(true), json::value(1.5), json::value(""),
          json::value(json::object{}), json::value(json::array{}), json::value(json::array{1}),
          json::value(json::array{nullptr})}) {
      EXPECT_EQ(verdict_with(claim, wrong), Verdict::invalid) << claim << ' ' << wrong;
    }
  }
  for (const auto* claim : {"jti", "iss", "sub", "randId", "aud"}) {
    EXPECT_EQ(verdict_with(claim, 1), Verdict::invalid) << claim;
  }
  for (const auto* claim : {"iat", "nbf", "exp"}) {
    EXPECT_EQ(verdict_with(claim, "1700000000"), Verdict::invalid) << claim;
  }
}

TEST(JwtTokenAuthority, ChecksTheShapeOfEveryClaim) {
  EXPECT_EQ(verdict_with("jti", "0F8FAD5B-D9CB-469F-A165-70867728950E"), Verdict::valid);
  EXPECT_EQ(verdict_with("jti", "0f8fad5bd9cb469fa16570867728950e"), Verdict::invalid);
  EXPECT_EQ(verdict_with("jti", "{0f8fad5b-d9cb-469f-a165-70867728950e}"), Verdict::invalid);
  EXPECT_EQ(verdict_with("iss", "RealTimeChat"), Verdict::invalid);
  EXPECT_EQ(verdict_with("iss", "realtimechat "), Verdict::invalid);
  for (const auto* sub : {"0A1B2C", "#0A1B2", "#0A1B2C0", "#0a1b2c", "#0A1B2G", " #0A1B2"}) {
    EXPECT_EQ(verdict_with("sub", sub), Verdict::invalid) << sub;
  }
  EXPECT_EQ(verdict_with("randId", json::string(64, 'x')), Verdict::valid);
  for (const auto* name : {"a\nb", "a\tb", "\x7F", "a\xC2\x85", "\x1B[31m"}) {
    EXPECT_EQ(verdict_with("randId", name), Verdict::invalid) << name;
    EXPECT_EQ(verdict_with("aud", json::array{name}), Verdict::invalid) << name;
  }
  EXPECT_EQ(verdict_with("randId", json::string(65, 'x')), Verdict::invalid);
  EXPECT_EQ(verdict_with("aud", json::array{std::string(39, '1')}), Verdict::valid);
  EXPECT_EQ(verdict_with("aud", json::array{std::string(40, '1')}), Verdict::invalid);
  EXPECT_EQ(verdict_with("aud", json::array{"", 2, nullptr}), Verdict::valid);
  EXPECT_EQ(verdict_with("aud", "203.0"), Verdict::invalid);
  EXPECT_EQ(verdict_with("nbf", kNow), Verdict::valid);
  EXPECT_EQ(verdict_with("nbf", kNow + 1), Verdict::invalid);
  EXPECT_EQ(verdict_with("exp", kNow + 1), Verdict::valid);
  EXPECT_EQ(verdict_with("exp", kNow), Verdict::expired);
  EXPECT_EQ(verdict_with("exp", INT64_MIN), Verdict::expired);
  EXPECT_EQ(verdict_with("exp", INT64_MAX), Verdict::valid);
  EXPECT_EQ(verdict_with("exp", static_cast<double>(kNow + 1)), Verdict::invalid);
  EXPECT_EQ(verdict_with("exp", UINT64_MAX), Verdict::invalid);
  EXPECT_EQ(verdict_with("other", json::object{{"a", json::array{1, "x"}}}), Verdict::valid);
}

TEST(JwtTokenAuthority, CallsATokenExpiredOnlyWhenAllElseHolds) {
  for (const auto* claim : {"jti", "iss", "sub", "randId", "aud", "iat", "nbf"}) {
    auto claims = good_claims();
    claims["exp"] = kNow - 1;
    EXPECT_EQ(check_payload(json::serialize(claims)).verdict, Verdict::expired);
    claims.erase(claim);
    EXPECT_EQ(check_payload(json::serialize(claims)).verdict, Verdict::invalid) << claim;
  }
}

TEST(JwtTokenAuthority, SetsNoIdentityOnAnInvalidToken) {
  auto claims = good_claims();
  claims["nbf"] = kNow + 1;
  const auto check = check_payload(json::serialize(claims));
  EXPECT_EQ(check.identity.id, UserId{});
  EXPECT_EQ(check.identity.nickname, "");
  EXPECT_EQ(check.expires_at_s, 0);
}

TEST(JwtTokenAuthority, RefusesPayloadsThatAreNoProperJson) {
  const auto good = json::serialize(good_claims());
  EXPECT_EQ(check_payload(good).verdict, Verdict::valid);
  const auto with_name = [&](std::string_view name) {
    auto payload = good;
    return payload.replace(payload.find("다람쥐42"), std::string("다람쥐42").size(), name);
  };
  for (const auto& payload :
       {std::string(), std::string("[]"), "[" + good + "]", good + "x", good + good, "x" + good,
        good.substr(0, good.size() - 1), with_name("a\\u0000b"), with_name(std::string("a\0b", 3)),
        with_name("\\ud800"), with_name("\xFF"), with_name("\xC0\x80"), with_name("\n")}) {
    EXPECT_EQ(check_payload(payload).verdict, Verdict::invalid) << payload;
  }
}

TEST(JwtTokenAuthority, TakesTheLastOfTwoClaimsOfOneName) {
  // RFC 7519, section 4: reject, or use the lexically last.
  auto payload = json::serialize(good_claims());
  payload.insert(1, R"("sub":"#FFFFFF",)");
  const auto check = check_payload(payload);
  EXPECT_EQ(check.verdict, Verdict::valid);
  EXPECT_EQ(check.identity.name_tag, "#0A1B2C");
}

TEST(JwtTokenAuthority, IsUsedByManyThreads) {
  const auto shared = authority();
  const auto good = shared.issue(squirrel(), kNow);
  auto bad = good;
  bad.back() = bad.back() == 'A' ? 'E' : 'A';
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        EXPECT_EQ(shared.issue(squirrel(), kNow), good);
        EXPECT_EQ(shared.check(good, kNow).verdict, Verdict::valid);
        EXPECT_EQ(shared.check(bad, kNow).verdict, Verdict::invalid);
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

TEST(JwtTokenAuthority, NeedsASecretOf32Bytes) {
  EXPECT_THROW(JwtTokenAuthority({std::string(31, 'k'), "i", 1}), std::invalid_argument);
  EXPECT_NO_THROW(JwtTokenAuthority({std::string(32, 'k'), "i", 1}));
}

}  // namespace
}  // namespace rtc::auth

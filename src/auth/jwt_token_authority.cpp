// Makes and checks tokens. libjwt signs, verifies and parses; which algorithm and which shape of
// claims count is decided here.
#include "auth/jwt_token_authority.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <jwt.h>
#include <memory>
#include <optional>
#include <stdexcept>

#include "base/utf8.hpp"

namespace rtc::auth {
namespace {

namespace json = boost::json;

constexpr std::size_t kSecretSizeMin = 32;
constexpr std::size_t kTokenSizeMax = 4096;
constexpr std::size_t kNicknameSizeMax = 64;
constexpr std::size_t kAddressSizeMax = 39;
// Clocks differ: a token holds from ten minutes before it was made.
constexpr std::int64_t kNotBeforeMarginS = 600;

struct FreeJwt {
  void operator()(jwt_t* jwt) const { jwt_free(jwt); }
};
using Jwt = std::unique_ptr<jwt_t, FreeJwt>;

struct FreeText {
  void operator()(char* text) const { std::free(text); }  // NOLINT: libjwt allocates with malloc
};
using Text = std::unique_ptr<char, FreeText>;

const unsigned char* key_of(const std::string& secret) {
  return reinterpret_cast<const unsigned char*>(secret.data());
}

// Three parts of base64url and nothing else. libjwt would stop at a NUL and its decoder skips
// bytes that are not base64.
bool is_compact_form(std::string_view token) {
  if (token.empty() || token.size() > kTokenSizeMax) return false;
  std::size_t dots = 0;
  for (const char c : token) {
    const bool base64url = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!base64url && c != '.') return false;
    if (c == '.') ++dots;
  }
  return dots == 2;
}

// The claims of a token that our secret signed with HS256.
std::optional<json::object> verified_claims(std::string_view token, const std::string& secret) {
  if (!is_compact_form(token)) return std::nullopt;
  jwt_t* raw = nullptr;
  // libjwt compares the signature's text with the one it expects, in constant time, so only the
  // canonical base64 form of a signature passes.
  if (jwt_decode(&raw, std::string(token).c_str(), key_of(secret),
                 static_cast<int>(secret.size())) != 0) {
    return std::nullopt;
  }
  const Jwt jwt(raw);
  // libjwt verifies with the algorithm that the token's own header names, in any case.
  const char* algorithm = jwt_get_header(jwt.get(), "alg");
  if (jwt_get_alg(jwt.get()) != JWT_ALG_HS256 || algorithm == nullptr ||
      std::string_view(algorithm) != "HS256") {
    return std::nullopt;
  }
  const Text text(jwt_get_grants_json(jwt.get(), nullptr));
  if (!text) return std::nullopt;
  json::error_code error;
  const json::value claims = json::parse(text.get(), error);
  if (error || !claims.is_object()) return std::nullopt;
  return claims.get_object();
}

std::optional<std::string_view> string_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

std::optional<std::int64_t> integer_claim(const json::object& claims, std::string_view name) {
  const json::value* value = claims.if_contains(name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return value->get_int64();
}

// C0, DEL and C1 control characters; `text` is valid UTF-8.
bool has_control_characters(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x20 || byte == 0x7F) return true;
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) return true;
  }
  return false;
}

bool is_shown_text(std::string_view text) {
  return is_utf8(text) && !has_control_characters(text);
}

bool is_name_tag(std::string_view text) {
  return text.size() == 7 && text[0] == '#' &&
         std::all_of(text.begin() + 1, text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F'); });
}

std::optional<std::string_view> address_claim(const json::object& claims) {
  const json::value* audience = claims.if_contains("aud");
  if (audience == nullptr || !audience->is_array() || audience->get_array().empty()) {
    return std::nullopt;
  }
  const json::value& first = audience->get_array().front();
  if (!first.is_string()) return std::nullopt;
  return std::string_view(first.get_string());
}

std::optional<chat::Identity> identity_of(const json::object& claims) {
  const auto id_text = string_claim(claims, "jti");
  const auto name_tag = string_claim(claims, "sub");
  const auto nickname = string_claim(claims, "randId");
  const auto address = address_claim(claims);
  if (!id_text || !name_tag || !nickname || !address) return std::nullopt;

  const auto id = UserId::parse(*id_text);
  if (!id || !is_name_tag(*name_tag)) return std::nullopt;
  if (nickname->empty() || nickname->size() > kNicknameSizeMax || !is_shown_text(*nickname)) {
    return std::nullopt;
  }
  if (address->size() > kAddressSizeMax || !is_shown_text(*address)) return std::nullopt;
  return chat::Identity{*id, std::string(*nickname), std::string(*name_tag), std::string(*address)};
}

}  // namespace

JwtTokenAuthority::JwtTokenAuthority(JwtOptions options) : options_(std::move(options)) {
  if (options_.secret.size() < kSecretSizeMin) {
    throw std::invalid_argument("the token secret must have at least 32 bytes");
  }
}

std::string JwtTokenAuthority::issue(const chat::Identity& identity, std::int64_t now_s) const {
  const json::object claims = {
      {"jti", identity.id.to_string()},
      {"iss", options_.issuer},
      {"sub", identity.name_tag},
      {"randId", identity.nickname},
      {"aud", json::array{identity.address}},
      {"iat", now_s},
      {"nbf", now_s - kNotBeforeMarginS},
      {"exp", now_s + options_.lifetime_s},
  };
  jwt_t* raw = nullptr;
  if (jwt_new(&raw) != 0) std::abort();
  const Jwt jwt(raw);
  if (jwt_set_alg(raw, JWT_ALG_HS256, key_of(options_.secret),
                  static_cast<int>(options_.secret.size())) != 0 ||
      jwt_add_grants_json(raw, json::serialize(claims).c_str()) != 0) {
    std::abort();  // only without memory, or for an identity that no adapter may make
  }
  const Text token(jwt_encode_str(raw));
  if (!token) std::abort();
  return token.get();
}

chat::TokenCheck JwtTokenAuthority::check(std::string_view token, std::int64_t now_s) const {
  using Verdict = chat::TokenCheck::Verdict;
  const auto claims = verified_claims(token, options_.secret);
  if (!claims) return {};
  const auto issuer = string_claim(*claims, "iss");
  const auto issued_at = integer_claim(*claims, "iat");
  const auto not_before = integer_claim(*claims, "nbf");
  const auto expires_at = integer_claim(*claims, "exp");
  if (!issuer || *issuer != options_.issuer || !issued_at || !not_before || !expires_at) return {};
  if (*not_before > now_s) return {};
  auto identity = identity_of(*claims);
  if (!identity) return {};
  return {*expires_at <= now_s ? Verdict::expired : Verdict::valid, std::move(*identity),
          *expires_at};
}

}  // namespace rtc::auth

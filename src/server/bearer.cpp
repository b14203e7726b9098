#include "server/bearer.hpp"

#include <algorithm>

namespace rtc::server {
namespace {

constexpr std::string_view kScheme = "bearer";

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool names_scheme(std::string_view text) {
  if (text.size() < kScheme.size()) return false;
  if (text.size() > kScheme.size() && !is_space(text[kScheme.size()])) return false;
  return std::equal(kScheme.begin(), kScheme.end(), text.begin(),
                    [](char lower, char any) { return (any | 0x20) == lower; });
}

}  // namespace

std::string_view bearer_token(std::string_view header) {
  std::string_view token = trimmed(header);
  if (names_scheme(token)) token = trimmed(token.substr(kScheme.size()));
  return token == "null" ? std::string_view{} : token;
}

}  // namespace rtc::server

#include "server/ban_list.hpp"

#include <algorithm>

#include "base/log.hpp"
#include "base/utf8.hpp"
#include "server/envelope.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kUser = "user:";
constexpr std::string_view kAddress = "address:";
constexpr unsigned kHouseholdBits = 64;

Error invalid(std::string message) {
  return {ErrorCode::invalid_parameter, std::move(message)};
}

bool holds(const chat::Ban& ban, std::int64_t now_ms) {
  return ban.until_ms == 0 || ban.until_ms > now_ms;
}

}  // namespace

Result<BanTarget> BanTarget::parse(std::string_view text) {
  if (text.starts_with(kUser)) {
    const auto user = UserId::parse(text.substr(kUser.size()));
    if (!user || *user == UserId{}) {
      return invalid("user: expected an identity's UUID: the senderId of its messages");
    }
    return BanTarget{user, {}};
  }
  if (!text.starts_with(kAddress)) {
    return invalid("expected user:ID or address:NETWORK, not '" + std::string(text) + "'");
  }
  text.remove_prefix(kAddress.size());
  auto network = net::Network::parse(text);
  if (!network) {
    return invalid("address: '" + std::string(text) +
                   "' is neither an address nor a network such as 10.0.0.0/8");
  }
  const bool single = text.find('/') == std::string_view::npos;
  if (single && !network->base.is_v4()) network->prefix_bits = kHouseholdBits;
  network->base = network->base.masked(network->prefix_bits);
  if (network->contains(*net::IpAddress::parse("0.0.0.0")) &&
      network->contains(*net::IpAddress::parse("255.255.255.255"))) {
    return invalid("address: '" + std::string(text) + "' is everybody");
  }
  return BanTarget{{}, *network};
}

std::string BanTarget::to_string() const {
  return user ? std::string(kUser) + user->to_string()
              : std::string(kAddress) + network.to_string();
}

Result<void> check_ban_reason(std::string_view reason) {
  if (reason.size() > kBanReasonBytesMax) return invalid("the reason is longer than 200 bytes");
  const bool controls = std::any_of(reason.begin(), reason.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  if (!is_utf8(reason) || controls) {
    return invalid("the reason must be one line of UTF-8");
  }
  return {};
}

BanList::BanList(std::span<const chat::Ban> bans) {
  for (const chat::Ban& ban : bans) {
    const auto target = BanTarget::parse(ban.target);
    if (!target) {
      log::warn("a ban in the database is not understood: {}", target.error().message);
      continue;
    }
    ++size_;
    if (target->user) {
      users_[*target->user] = ban;
      continue;
    }
    const unsigned bits = target->network.prefix_bits;
    auto same = std::find_if(networks_.begin(), networks_.end(),
                             [&](const Networks& each) { return each.prefix_bits == bits; });
    if (same == networks_.end()) same = networks_.insert(same, Networks{bits, {}});
    same->bans[target->network.base] = ban;
  }
}

const chat::Ban* BanList::find(const UserId& user, const net::IpAddress& address,
                               std::int64_t now_ms) const {
  if (const auto found = users_.find(user); found != users_.end() && holds(found->second, now_ms)) {
    return &found->second;
  }
  for (const Networks& each : networks_) {
    const auto found = each.bans.find(address.masked(each.prefix_bits));
    if (found != each.bans.end() && holds(found->second, now_ms)) return &found->second;
  }
  return nullptr;
}

Error ban_error(const chat::Ban& ban) {
  std::string message = "you are banned";
  if (ban.until_ms != 0) message += " until " + iso_time(ban.until_ms);
  if (!ban.reason.empty()) message += ": " + ban.reason;
  return {ErrorCode::banned, std::move(message)};
}

}  // namespace rtc::server

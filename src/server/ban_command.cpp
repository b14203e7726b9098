#include "server/ban_command.hpp"

#include <fmt/format.h>

#include "server/ban_list.hpp"
#include "server/envelope.hpp"

namespace rtc::server {
namespace {

std::string until(const chat::Ban& ban) {
  return ban.until_ms == 0 ? "for ever" : "until " + iso_time(ban.until_ms);
}

}  // namespace

Result<std::string> ban(chat::BanStore& store, const BanRequest& request, std::uint32_t bans_max,
                        std::int64_t now_ms) {
  const auto target = BanTarget::parse(request.target);
  if (!target) return target.error();
  if (const auto reason = check_ban_reason(request.reason); !reason) return reason.error();
  const chat::Ban ban{target->to_string(),
                      request.for_ms == 0 ? 0 : now_ms + static_cast<std::int64_t>(request.for_ms),
                      request.reason, now_ms};
  if (const auto stored = store.put_ban(ban, bans_max); !stored) return stored.error();
  return fmt::format("{} is banned {}\n", ban.target, until(ban));
}

Result<std::string> unban(chat::BanStore& store, const BanRequest& request) {
  const auto target = BanTarget::parse(request.target);
  if (!target) return target.error();
  const auto removed = store.remove_ban(target->to_string());
  if (!removed) return removed.error();
  if (!*removed) {
    return Error{ErrorCode::not_found,
                 target->to_string() + " is not banned; --bans lists what is"};
  }
  return target->to_string() + " is not banned any more\n";
}

Result<std::string> list_bans(chat::BanStore& store, std::int64_t now_ms) {
  const auto bans = store.bans(now_ms);
  if (!bans) return bans.error();
  std::string lines;
  for (const chat::Ban& ban : *bans) {
    lines += fmt::format("{}\t{}\t{}\n", ban.target, until(ban), ban.reason);
  }
  return lines;
}

}  // namespace rtc::server

#include "server/ban_watch.hpp"

#include "base/clock.hpp"
#include "server/shard.hpp"

namespace rtc::server {

Result<void> BanWatch::load() {
  const auto list = ask();
  if (!list) return list.error();
  for (Shard* const shard : services_.shards) shard->set_bans(*list);
  return {};
}

void BanWatch::start() {
  services_.shards.front()->loop().timers().arm(*this, services_.config.ban_check_interval_ms);
}

void BanWatch::on_timer() {
  const bool taken = services_.store.read([this] {
    const auto list = ask();
    if (!list) {
      services_.bans.failures.fetch_add(1, std::memory_order_relaxed);
      services_.store.health().call_failed("the bans could not be read", list.error());
    } else if (*list != nullptr) {
      for (Shard* const shard : services_.shards) {
        shard->loop().post([shard, bans = *list] { shard->set_bans(bans); });
      }
    }
    services_.shards.front()->loop().post([this] { start(); });
  });
  if (taken) return;
  services_.bans.failures.fetch_add(1, std::memory_order_relaxed);
  start();
}

Result<BanWatch::List> BanWatch::ask() {
  const std::int64_t now_ms = unix_ms();
  // Asked for first: what changes after it is seen by the next question.
  const auto version = store_.bans_version();
  if (!version) return version.error();
  const bool over = next_end_ms_ != 0 && now_ms >= next_end_ms_;
  if (version_ == *version && !over) return List{};
  const auto bans = store_.bans(now_ms);
  if (!bans) return bans.error();
  version_ = *version;
  next_end_ms_ = 0;
  for (const chat::Ban& ban : *bans) {
    if (ban.until_ms != 0 && (next_end_ms_ == 0 || ban.until_ms < next_end_ms_)) {
      next_end_ms_ = ban.until_ms;
    }
  }
  auto list = std::make_shared<const BanList>(*bans);
  services_.bans.in_force.store(list->size(), std::memory_order_relaxed);
  return List{std::move(list)};
}

}  // namespace rtc::server

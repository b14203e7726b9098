#include "server/presence_ticker.hpp"

#include "server/envelope.hpp"

namespace rtc::server {

void PresenceTicker::start() {
  Shard& home = *shards_.front();
  home.loop().timers().arm(*this, home.config().presence_interval_ms);
}

void PresenceTicker::on_timer() {
  Shard& home = *shards_.front();
  const auto changes = home.services().presence.take_changes(home.loop().now_ms());
  if (!changes.empty()) {
    // The JSON is made once for all loops and listeners.
    auto news = std::make_shared<std::vector<News>>();
    news->reserve(changes.size());
    for (const auto& change : changes) {
      news->push_back({Destination::Kind::presence, change.room, presence_json(change)});
    }
    for (const auto& shard : shards_) {
      shard->loop().post([target = shard.get(), news] { target->deliver(news); });
    }
  }
  start();
}

}  // namespace rtc::server

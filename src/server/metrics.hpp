// The text of /metrics: Prometheus' exposition format, by prometheus-cpp. Read at each scrape from
// the figures that the parts keep, so that nothing is paid when nobody looks. Any thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "chat/page_cache.hpp"

namespace rtc::server {

class Shard;
struct Services;

std::string metrics_text(Services& services, const chat::PageCacheFigures& pages,
                         const std::vector<std::unique_ptr<Shard>>& shards);

}  // namespace rtc::server

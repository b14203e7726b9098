// What --ban, --unban and --bans do with the bans of a store, beside the nodes that run on it.
// Blocking; one thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/load_config.hpp"
#include "base/result.hpp"
#include "chat/ban_store.hpp"

namespace rtc::server {

// Each answers with lines for the operator. `now_ms`: Unix time.
Result<std::string> ban(chat::BanStore& store, const BanRequest& request, std::uint32_t bans_max,
                        std::int64_t now_ms);
// An error also when there is no such ban: it may be another one that is meant.
Result<std::string> unban(chat::BanStore& store, const BanRequest& request);
// A line for each: target, until when, reason, with tabs between.
Result<std::string> list_bans(chat::BanStore& store, std::int64_t now_ms);

}  // namespace rtc::server

// What an idle session has nothing of, so that it needs no memory for it. The loop's thread only.
#pragma once

#include <string>
#include <vector>

#include "server/replay.hpp"
#include "server/session_requests.hpp"
#include "server/transactions.hpp"

namespace rtc::server {

struct SessionBusy {
  std::string backlog;           // bytes that came before the input paused
  std::vector<Pending> pending;  // oldest first
  std::vector<Replay> replays;
  Transactions transactions;
  std::string closing_reason;

  bool empty() const {
    return backlog.empty() && pending.empty() && replays.empty() && transactions.count() == 0 &&
           closing_reason.empty();
  }
};

}  // namespace rtc::server

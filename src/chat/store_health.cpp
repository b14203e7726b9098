#include "chat/store_health.hpp"

#include <fmt/format.h>

namespace rtc::chat {

void StoreHealth::commit_failed(std::uint64_t messages, const Error& error) {
  const std::scoped_lock lock(mutex_);
  if (!failing()) since_ = Clock::now();
  reason_ = error.message;
  messages_ += messages;
  failing_.store(true, std::memory_order_relaxed);
  if (const std::uint64_t untold = commit_lines_.take(messages); untold > 0) {
    logged_ = true;
    log::error("store: {} messages not stored, and their senders told so: {}", untold, reason_);
  }
}

void StoreHealth::recover() {
  const std::scoped_lock lock(mutex_);
  failing_.store(false, std::memory_order_relaxed);
  if (logged_) {
    const auto lasted = std::chrono::duration<double>(Clock::now() - since_).count();
    log::warn("store: messages are stored again; in {:.1f} s {} were not", lasted, messages_);
  }
  messages_ = 0;
  logged_ = false;
}

Error StoreHealth::call_failed(std::string_view what, const Error& error) {
  if (error.code != ErrorCode::internal_server_error) return error;
  failed_calls_.fetch_add(1, std::memory_order_relaxed);
  if (const std::uint64_t untold = call_lines_.take(); untold > 0) {
    log::error("store: {}: {} (reads and new rooms that failed: {})", what, error.message, untold);
  }
  return {error.code, fmt::format("{}; try again in a while", what)};
}

std::string StoreHealth::reason() const {
  const std::scoped_lock lock(mutex_);
  return failing() ? reason_ : "";
}

}  // namespace rtc::chat

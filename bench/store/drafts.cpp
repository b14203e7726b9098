#include "drafts.hpp"

#include <fmt/core.h>

namespace store {
namespace {

using rtc::chat::Draft;
using rtc::chat::SharedIdentity;

constexpr std::size_t kBatches = 16;
constexpr std::size_t kSenders = 1000;
constexpr std::int64_t kSomeTimeMs = 1'767'225'600'000;

std::vector<SharedIdentity> make_senders() {
  std::vector<SharedIdentity> senders;
  for (std::size_t i = 0; i < kSenders; ++i) {
    senders.push_back(SharedIdentity({rtc::UserId::random(), fmt::format("수박{}", i % 99 + 1),
                                      fmt::format("#{:06X}", i), "203.0"}));
  }
  return senders;
}

template <class T>
void append_bytes(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

Drafts::Drafts(const Options& options, std::span<const rtc::RoomId> rooms)
    : batches_(kBatches), keys_(options.keys) {
  std::mt19937_64 random(1);
  const auto below = [&](std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random);
  };
  const std::vector<SharedIdentity> senders = make_senders();
  for (auto& batch : batches_) {
    for (std::size_t i = 0; i < options.batch; ++i) {
      std::string text(options.text_bytes, ' ');
      for (char& c : text) c = static_cast<char>('a' + below(26));
      batch.push_back({rooms[below(rooms.size())], senders[below(kSenders)], std::move(text),
                       kSomeTimeMs + static_cast<std::int64_t>(i), "", false});
    }
  }
}

std::span<const Draft> Drafts::next() {
  auto& batch = batches_[next_++ % kBatches];
  if (keys_) {
    // As long as a UUID, and as far from the one before.
    for (Draft& draft : batch) {
      const std::uint64_t number = ++keys_given_ * 0x9E3779B97F4A7C15ULL;
      draft.key = fmt::format("{:016x}-{:019}", number, keys_given_);
    }
  }
  return batch;
}

std::string Drafts::bytes_of(std::span<const Draft> batch) {
  std::string bytes;
  for (const Draft& draft : batch) {
    append_bytes(bytes, draft.room);
    append_bytes(bytes, draft.sender.id());
    bytes.append(draft.sender.nickname()).append(draft.sender.name_tag());
    bytes += draft.sender.address();
    bytes += draft.text;
    append_bytes(bytes, draft.created_at_ms);
    bytes += draft.key;
  }
  return bytes;
}

}  // namespace store

// The measurements: commits, the same bytes in a plain file, pages.
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

#include "drafts.hpp"
#include "histogram.hpp"
#include "options.hpp"
#include "storage/sqlite_store.hpp"

namespace store {

// How long so many messages took, batch by batch. Only the calls count, not what lies between.
struct Commits {
  load::Histogram each;
  std::int64_t total_ns = 0;
  std::int64_t cpu_ns = 0;  // of the whole process meanwhile
  std::uint64_t messages = 0;

  double per_second() const;
  double cpu_us_each() const;
};

// For options.seconds, or until so many messages are stored. Throws when the store fails.
Commits commit_for(rtc::storage::SqliteStore& store, Drafts& drafts, double seconds);
Commits commit_until(rtc::storage::SqliteStore& store, Drafts& drafts, std::uint64_t messages);

// The limit: the batches' bytes at the end of a plain file, a write and, with `sync`, an fdatasync
// for each.
Commits write_plain(const std::filesystem::path& file, Drafts& drafts, double seconds, bool sync);

struct Pages {
  load::Histogram each;
  std::uint64_t wrong = 0;  // not the messages that they must hold
};

// At any depth of a random room, or with its newest message.
Pages read_pages(rtc::chat::MessageStore& store, const Options& options,
                 std::span<const rtc::RoomId> rooms, bool newest);

}  // namespace store

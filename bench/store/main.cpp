// The store without a network: messages a second and pages, in a young database and in a full one,
// beside the same bytes in a plain file.
#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fmt/core.h>
#include <memory>
#include <stdexcept>
#include <string>

#include "base/log.hpp"
#include "chat/page_cache.hpp"
#include "drafts.hpp"
#include "measure.hpp"
#include "options.hpp"
#include "report.hpp"
#include "storage/sqlite_store.hpp"

namespace store {
namespace {

using rtc::storage::Durability;
using rtc::storage::SqliteStore;

constexpr int kCannotRun = 3;

class Directory {
 public:
  explicit Directory(const std::filesystem::path& parent) {
    std::string pattern = (parent / "rtc-store-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~Directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// As the server opens it.
std::unique_ptr<SqliteStore> open(const std::filesystem::path& file, Durability durability) {
  auto opened = SqliteStore::open({.file = file, .durability = durability});
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

// The same rooms in each file.
std::unique_ptr<SqliteStore> make(const std::filesystem::path& file, Durability durability,
                                  std::span<const rtc::RoomId> rooms) {
  auto made = open(file, durability);
  for (const rtc::RoomId& room : rooms) {
    const rtc::chat::Room open_room{room, rtc::chat::Room::Kind::open, "room", 0, {}, {}, true};
    if (const auto done = made->create(open_room, {rooms.size() + 1, rooms.size() + 1}); !done) {
      throw std::runtime_error(done.error().message);
    }
  }
  return made;
}

void tell(load::Report& report, const std::string& which, const Commits& commits) {
  const auto ms = [&](double percent) {
    return static_cast<double>(commits.each.percentile_ns(percent)) / 1e6;
  };
  report.number("messages_per_second_" + which, commits.per_second());
  report.number("cpu_us_per_message_" + which, commits.cpu_us_each(), 2);
  report.number("commit_p50_ms_" + which, ms(50), 3);
  report.number("commit_p99_ms_" + which, ms(99), 3);
  report.number("commit_max_ms_" + which, static_cast<double>(commits.each.max_ns()) / 1e6, 3);
}

void tell(load::Report& report, const std::string& which, const Pages& pages) {
  report.number("page_p50_us_" + which, static_cast<double>(pages.each.percentile_ns(50)) / 1e3, 1);
  report.number("page_p99_us_" + which, static_cast<double>(pages.each.percentile_ns(99)) / 1e3, 1);
  report.fault("pages_wrong_" + which, pages.wrong);
}

int run(const Options& options) {
  const Directory directory(options.directory);
  std::vector<rtc::RoomId> rooms(options.rooms);
  for (rtc::RoomId& room : rooms) room = rtc::RoomId::random();
  Drafts drafts(options, rooms);
  load::Report report;
  report.number("rows", static_cast<double>(options.rows));
  report.number("rooms", options.rooms);
  report.number("batch", static_cast<double>(options.batch));
  report.number("text_bytes", static_cast<double>(options.text_bytes));
  report.number("page_size", options.page_size);
  report.number("keys", options.keys ? 1 : 0);

  // In turns, the limit beside each.
  const struct {
    const char* name;
    Durability durability;
  } kinds[] = {{"fsync", Durability::fsync}, {"commit", Durability::commit}};
  for (const auto& [name, durability] : kinds) {
    const auto plain = directory / name;
    tell(report, std::string("plain_") + name,
         write_plain(plain, drafts, options.seconds, durability == Durability::fsync));
    std::filesystem::remove(plain);
    const auto young = make(directory / (std::string(name) + ".sqlite").c_str(), durability, rooms);
    tell(report, std::string("young_") + name, commit_for(*young, drafts, options.seconds));
  }

  const auto full = directory / "full.sqlite";
  tell(report, "filling",
       commit_until(*make(full, Durability::commit, rooms), drafts, options.rows));
  for (const auto& [name, durability] : kinds) {
    const auto reopened = open(full, durability);
    tell(report, std::string("full_") + name, commit_for(*reopened, drafts, options.seconds));
  }
  const auto reopened = open(full, Durability::commit);
  tell(report, "any_depth", read_pages(*reopened, options, rooms, false));
  tell(report, "newest", read_pages(*reopened, options, rooms, true));
  // As the server reads them: each room once from the store, then from memory.
  rtc::chat::PageCache cache(*reopened, {.messages_max = std::max(100U, options.page_size)});
  tell(report, "newest_memory", read_pages(cache, options, rooms, true));
  return report.finish(options.json);
}

}  // namespace
}  // namespace store

int main(int argc, char** argv) {
  const store::Options options = store::parse_options(argc, argv);
  rtc::log::set_level(rtc::log::Level::warn);
  try {
    return store::run(options);
  } catch (const std::exception& problem) {
    fmt::print(stderr, "rtc_store: {}\n", problem.what());
    return store::kCannotRun;
  }
}

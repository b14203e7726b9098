// When which thread checkpoints. SQLITE_CHECKPOINT_PASSIVE throughout: it waits for nobody, and
// neither commits nor reads wait for it.
#include "storage/sqlite_checkpointer.hpp"

#include <algorithm>
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>
#include <utility>

#include "base/log.hpp"
#include "base/thread_name.hpp"

namespace rtc::storage {
namespace {

// What the writing thread may bring over itself, while commits wait: little beside the two
// fdatasync that it takes.
constexpr std::int64_t kLittle = 256;
// Each round leaves less than the one before when the disk keeps up; when not, the next commits
// ask again.
constexpr int kRoundsAtOnce = 6;
// So much of the log is handed to the disk at a time, long before it must be there: commits wait
// for the file's locks where fdatasync has many MiB to write, and for the core where this does.
constexpr std::int64_t kHandOverBytes = 128 << 10;

}  // namespace

SqliteCheckpointer::SqliteCheckpointer(SQLite::Database& writer, const std::filesystem::path& file,
                                       std::uint64_t log_bytes_max)
    : writer_(writer),
      database_(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX),
      page_bytes_(writer.execAndGet("PRAGMA page_size").getInt64()),
      begin_(std::max<std::int64_t>(static_cast<std::int64_t>(log_bytes_max / 4) / page_bytes_, 1)),
      end_(begin_ * 3),
      most_(begin_ * 4),
      hand_over_(std::max<std::int64_t>(kHandOverBytes / page_bytes_, 1)),
      next_begin_(begin_),
      next_wait_(most_),
      next_hand_over_(hand_over_),
      log_file_(::open((file.string() + "-wal").c_str(), O_RDWR | O_CLOEXEC)) {
  // A file is cut back to this when it begins anew; what it keeps needs no new blocks of the disk.
  writer_.exec("PRAGMA journal_size_limit = " + std::to_string(log_bytes_max));
  // What is brought over is on the disk before the log is written over.
  database_.exec("PRAGMA synchronous = NORMAL");
  database_.execAndGet("PRAGMA schema_version");  // a first read: it is known to be in WAL mode
  ::sqlite3_wal_hook(
      writer_.getHandle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<SqliteCheckpointer*>(self)->committed(pages);
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] {
    name_this_thread("store-log");
    work();
  });
}

SqliteCheckpointer::~SqliteCheckpointer() {
  ::sqlite3_wal_hook(writer_.getHandle(), nullptr, nullptr);
  {
    const std::scoped_lock lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
  if (log_file_ >= 0) ::close(log_file_);
}

chat::LogFigures SqliteCheckpointer::figures() const {
  const std::int64_t waiting =
      pages_.load(std::memory_order_relaxed) - brought_.load(std::memory_order_relaxed);
  return {static_cast<std::uint64_t>(std::max<std::int64_t>(waiting, 0) * page_bytes_),
          rounds_.load(std::memory_order_relaxed), failures_.load(std::memory_order_relaxed),
          waits_.load(std::memory_order_relaxed)};
}

std::int64_t SqliteCheckpointer::bring_over(SQLite::Database& database) {
  int in_log = 0;
  int brought = 0;
  const int result = ::sqlite3_wal_checkpoint_v2(database.getHandle(), nullptr,
                                                 SQLITE_CHECKPOINT_PASSIVE, &in_log, &brought);
  if (result == SQLITE_OK) {
    rounds_.fetch_add(1, std::memory_order_relaxed);
    brought_.store(brought, std::memory_order_relaxed);
    // Commits went on meanwhile.
    return std::max<std::int64_t>(pages_.load(std::memory_order_relaxed), in_log) - brought;
  }
  if (result != SQLITE_BUSY) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    if (const std::uint64_t count = failure_lines_.take(); count > 0) {
      log::warn(
          "store: the log was not brought into the database, and is tried again: {} ({} times)",
          ::sqlite3_errstr(result), count);
    }
  }
  return pages_.load(std::memory_order_relaxed);
}

void SqliteCheckpointer::committed(std::int64_t pages) {
  if (pages < pages_.load(std::memory_order_relaxed)) {  // it began anew
    next_begin_ = begin_;
    next_wait_ = most_;
    next_hand_over_ = hand_over_;
    little_left_ = false;
    brought_.store(0, std::memory_order_relaxed);
  }
  pages_.store(pages, std::memory_order_relaxed);
  if (little_left_.exchange(false)) bring_over(writer_);
  const bool hands_over = pages >= next_hand_over_;
  if (hands_over) next_hand_over_ = pages + hand_over_;
  if (pages < next_begin_) {
    if (hands_over) ask(Work::hand_over);
    return;
  }
  // Beyond end_ not at every commit, should it not help.
  next_begin_ =
      pages < end_ ? std::min(pages + begin_, end_) : pages + std::max<std::int64_t>(begin_ / 4, 1);
  if (pages >= next_wait_) {
    next_wait_ = pages + begin_;
    waits_.fetch_add(1, std::memory_order_relaxed);
    std::unique_lock lock(mutex_);
    asked_ = Work::none;
    changed_.wait(lock, [this] { return !working_; });
    lock.unlock();
    bring_over(writer_);
    return;
  }
  ask(Work::bring_over);
}

void SqliteCheckpointer::ask(Work work) {
  {
    const std::scoped_lock lock(mutex_);
    asked_ = std::max(asked_, work);
  }
  changed_.notify_all();
}

void SqliteCheckpointer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || asked_ != Work::none; });
    if (ends_) return;
    const Work asked = std::exchange(asked_, Work::none);
    working_ = true;
    lock.unlock();
    // Begins to write what is not on the disk, waits for nothing, and promises nothing: whatever
    // comes of it, fdatasync follows before anything relies on it.
    if (log_file_ >= 0) ::sync_file_range(log_file_, 0, 0, SYNC_FILE_RANGE_WRITE);
    for (int round = 0; asked == Work::bring_over && round < kRoundsAtOnce; ++round) {
      const std::int64_t left = bring_over(database_);
      if (pages_.load(std::memory_order_relaxed) < end_) break;
      if (left > kLittle) continue;
      // When nothing is left, the next commit begins the log anew by itself.
      little_left_ = left > 0;
      break;
    }
    lock.lock();
    working_ = false;
    changed_.notify_all();
  }
}

}  // namespace rtc::storage

// Brings what was committed from the log (WAL) into the database file beside the commits, on a
// thread and a connection of its own.
//
// It does so at each quarter of the log's bound. Commits go on meanwhile, so a little is always
// left over: from three quarters on, once that is small, the writing thread brings it over itself
// after a commit, and the log begins anew. That takes some milliseconds (fdatasync), which commits
// wait for, so it is not done sooner; and the log is handed to the disk bit by bit as it grows, so
// that they are few. Only when the log has reached its bound all the same, because the disk is
// slower than the commits, does a commit wait for all of it. No bound holds while another process
// keeps a read transaction open: the log cannot begin anew then.
#pragma once

#include <SQLiteCpp/Database.h>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "chat/message_store.hpp"

namespace rtc::storage {

class SqliteCheckpointer {
 public:
  // `writer` commits on one thread and outlives this; its hook for commits is taken. Throws
  // SQLite::Exception.
  SqliteCheckpointer(SQLite::Database& writer, const std::filesystem::path& file,
                     std::uint64_t log_bytes_max);
  ~SqliteCheckpointer();  // waits for what is under way
  SqliteCheckpointer(const SqliteCheckpointer&) = delete;
  SqliteCheckpointer& operator=(const SqliteCheckpointer&) = delete;

  chat::LogFigures figures() const;  // any thread

 private:
  enum class Work { none, hand_over, bring_over };  // the latter does the former too

  // After each commit, on the writing thread: the log holds so many pages now.
  void committed(std::int64_t pages);
  void ask(Work work);
  void work();  // the thread
  // What is left over, in pages, once this connection brought over what it could; everything when
  // it could nothing.
  std::int64_t bring_over(SQLite::Database& database);

  SQLite::Database& writer_;
  SQLite::Database database_;  // of the thread
  const std::int64_t page_bytes_;
  const std::int64_t begin_;  // in pages, as all below
  const std::int64_t end_;    // from here on the log is to begin anew
  const std::int64_t most_;
  const std::int64_t hand_over_;
  std::int64_t next_begin_;  // of the writing thread, as the next two: when it asks again
  std::int64_t next_wait_;
  std::int64_t next_hand_over_;
  const int log_file_;  // -1: it could not be opened, and nothing is handed over early
  std::atomic<std::int64_t> pages_{0};    // in the log
  std::atomic<std::int64_t> brought_{0};  // of these are in the database
  std::atomic<std::uint64_t> rounds_{0};
  std::atomic<std::uint64_t> failures_{0};
  std::atomic<std::uint64_t> waits_{0};
  log::Throttle failure_lines_;
  std::atomic<bool> little_left_{false};

  std::mutex mutex_;
  std::condition_variable changed_;
  Work asked_ = Work::none;  // guarded by mutex_, as the next two
  bool working_ = false;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace rtc::storage

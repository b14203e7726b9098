// A SQLite store in a directory of its own, that goes with it.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <memory>
#include <stdexcept>
#include <string>

#include "contract/store_contract.hpp"
#include "storage/sqlite_bans.hpp"
#include "storage/sqlite_store.hpp"

namespace rtc::storage::test {

class Directory {
 public:
  Directory() {
    std::string pattern = testing::TempDir() + "rtc-store-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::filesystem::path file() const { return path_ / "chat.db"; }

 private:
  std::filesystem::path path_;
};

inline std::unique_ptr<SqliteStore> open_store(const std::filesystem::path& file) {
  auto store = SqliteStore::open({file});
  if (!store) throw std::runtime_error(store.error().message);
  return std::move(*store);
}

inline std::unique_ptr<SqliteBans> open_bans(const std::filesystem::path& file) {
  auto bans = SqliteBans::open(file, 5000);
  if (!bans) throw std::runtime_error(bans.error().message);
  return std::move(*bans);
}

class SqliteStores final : public chat::Stores {
 public:
  chat::MessageStore& messages() override { return *store_; }
  chat::RoomStore& rooms() override { return *store_; }
  chat::BanStore& bans() override { return *bans_; }

 private:
  Directory directory_;
  std::unique_ptr<SqliteStore> store_ = open_store(directory_.file());
  std::unique_ptr<SqliteBans> bans_ = open_bans(directory_.file());
};

}  // namespace rtc::storage::test

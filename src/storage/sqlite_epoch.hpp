// Whose ids these are. The store's epoch names them; it becomes another one when ids that clients
// know may be given again, so that they are told instead of missing what those ids now mean.
//
// That is so for a copy of the file, which may be an old one, and after the loss of power with
// Durability::commit, which may take the last commits back. So the file holds its own identity
// (inode and time of birth) and, while it is open for such commits, the boot of the machine.
#pragma once

#include <SQLiteCpp/Database.h>
#include <filesystem>

#include "storage/sqlite_store.hpp"

namespace rtc::storage {

// Changes the epoch if it must be, and records how the file is used from now on: all of it on the
// disk before this returns, so before any message is. Throws SQLite::Exception.
void open_epoch(SQLite::Database& database, const std::filesystem::path& file,
                const SqliteOptions& options);

// The end of use: what was committed is on the disk when this returns. Throws SQLite::Exception;
// then nothing is lost, but a reboot will count as a loss of power.
void close_epoch(SQLite::Database& database);

}  // namespace rtc::storage

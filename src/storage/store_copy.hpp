// From one machine's SQLite file to a PostgreSQL database: rooms, messages and message keys, with
// the ids that they have, and bans. For a command of its own; blocks.
//
// The file may be in use meanwhile: messages never change, so what comes during the copy is left
// for another one, which brings over only what is new. Whoever copies once while people talk, and
// again after he has stopped the program, has lost nothing and was away for as long as the second
// takes.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.hpp"
#include "storage/postgres_store.hpp"

namespace rtc::storage {

struct CopyFigures {
  std::uint64_t rooms = 0;  // all of them were compared, as were the next two
  std::uint64_t messages = 0;
  std::uint64_t keys = 0;
  std::uint64_t new_messages = 0;  // brought over by this copy
};

// The file must have this program's schema. A database in which somebody has written to the same
// rooms is refused; then nothing more is copied. Bans go last, and those that do not hold in the
// file are ended in the database. Ends with an error unless all of the file, as it
// was read, is found again in the database, field by field.
Result<CopyFigures> copy_store(const std::filesystem::path& file, const PostgresOptions& options);

}  // namespace rtc::storage

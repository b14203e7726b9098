// Values as libpq carries them: parameters and results, all in the binary format of PostgreSQL's
// protocol (big-endian numbers, bytes as they are), so that nothing is escaped or parsed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/uuid.hpp"

struct pg_result;  // libpq's PGresult

namespace rtc::storage {

// An array of one dimension, without nulls.
class PostgresArray {
 public:
  static PostgresArray of_uuids(std::size_t count) { return {kUuid, count}; }
  static PostgresArray of_bytes(std::size_t count) { return {kBytea, count}; }
  static PostgresArray of_integers(std::size_t count) { return {kInt8, count}; }

  // `count` times in all.
  void add(const Uuid& id);
  void add(std::string_view bytes);
  void add(std::int64_t number);

 private:
  friend class PostgresParameters;
  // Numbers that PostgreSQL gives to its types, fixed for ever.
  static constexpr std::uint32_t kBytea = 17;
  static constexpr std::uint32_t kInt8 = 20;
  static constexpr std::uint32_t kUuid = 2950;
  PostgresArray(std::uint32_t type, std::size_t count);

  std::string bytes_;
};

// $1, $2 … in this order.
class PostgresParameters {
 public:
  PostgresParameters& add(const Uuid& id);
  PostgresParameters& add(std::string_view bytes);
  PostgresParameters& add(std::int64_t number);        // bigint
  PostgresParameters& add_small(std::int16_t number);  // smallint
  PostgresParameters& add_flag(bool flag);
  PostgresParameters& add(PostgresArray array);
  void set(std::size_t index, std::int64_t number);  // one that was added; from 0

  const std::vector<std::string>& values() const { return values_; }

 private:
  std::vector<std::string> values_;
};

// What a statement gave, maybe without rows. A column is read as what the statement says it is.
class PostgresRows {
 public:
  PostgresRows() = default;
  explicit PostgresRows(pg_result* result) : result_(result) {}  // takes it over

  int count() const;
  bool is_null(int row, int column) const;
  std::int64_t integer(int row, int column) const;  // smallint, integer, bigint
  bool flag(int row, int column) const;
  Uuid uuid(int row, int column) const;
  std::string text(int row, int column) const;                    // bytea, text
  std::vector<std::int64_t> integers(int row, int column) const;  // bigint[]
  std::uint64_t affected() const;                                 // rows changed

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::string_view value(int row, int column) const;
  std::unique_ptr<pg_result, Clear> result_;
};

}  // namespace rtc::storage

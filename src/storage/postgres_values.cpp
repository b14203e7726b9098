#include "storage/postgres_values.hpp"

#include <charconv>
#include <cstring>
#include <libpq-fe.h>

namespace rtc::storage {
namespace {

void put(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>((value >> (8 * i)) & 0xFF));
}

std::uint64_t unsigned_of(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<std::uint8_t>(c);
  return value;
}

// Two's complement of any width.
std::int64_t signed_of(std::string_view bytes) {
  if (bytes.empty() || bytes.size() > 8) return 0;
  const auto unused = static_cast<unsigned>(64 - 8 * bytes.size());
  return static_cast<std::int64_t>(unsigned_of(bytes) << unused) >> unused;
}

std::string_view view(const Uuid& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

}  // namespace

// Dimensions, whether there are nulls, the type; of the dimension its size and first index.
PostgresArray::PostgresArray(std::uint32_t type, std::size_t count) {
  put(bytes_, 1, 4);
  put(bytes_, 0, 4);
  put(bytes_, type, 4);
  put(bytes_, count, 4);
  put(bytes_, 1, 4);
}

void PostgresArray::add(std::string_view bytes) {
  put(bytes_, bytes.size(), 4);
  bytes_.append(bytes);
}

void PostgresArray::add(const Uuid& id) {
  add(view(id));
}

void PostgresArray::add(std::int64_t number) {
  put(bytes_, 8, 4);
  put(bytes_, static_cast<std::uint64_t>(number), 8);
}

PostgresParameters& PostgresParameters::add(std::string_view bytes) {
  values_.emplace_back(bytes);
  return *this;
}

PostgresParameters& PostgresParameters::add(const Uuid& id) {
  return add(view(id));
}

PostgresParameters& PostgresParameters::add(std::int64_t number) {
  values_.emplace_back();
  set(values_.size() - 1, number);
  return *this;
}

PostgresParameters& PostgresParameters::add_small(std::int16_t number) {
  put(values_.emplace_back(), static_cast<std::uint16_t>(number), 2);
  return *this;
}

PostgresParameters& PostgresParameters::add_flag(bool flag) {
  values_.emplace_back(1, flag ? '\1' : '\0');
  return *this;
}

PostgresParameters& PostgresParameters::add(PostgresArray array) {
  values_.push_back(std::move(array.bytes_));
  return *this;
}

void PostgresParameters::set(std::size_t index, std::int64_t number) {
  values_[index].clear();
  put(values_[index], static_cast<std::uint64_t>(number), 8);
}

void PostgresRows::Clear::operator()(pg_result* result) const {
  PQclear(result);
}

std::string_view PostgresRows::value(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

int PostgresRows::count() const {
  return PQntuples(result_.get());
}

bool PostgresRows::is_null(int row, int column) const {
  return PQgetisnull(result_.get(), row, column) != 0;
}

std::int64_t PostgresRows::integer(int row, int column) const {
  return signed_of(value(row, column));
}

bool PostgresRows::flag(int row, int column) const {
  return integer(row, column) != 0;
}

Uuid PostgresRows::uuid(int row, int column) const {
  Uuid id;
  const std::string_view bytes = value(row, column);
  if (bytes.size() == id.bytes.size()) std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  return id;
}

std::string PostgresRows::text(int row, int column) const {
  return std::string(value(row, column));
}

std::vector<std::int64_t> PostgresRows::integers(int row, int column) const {
  constexpr std::size_t kHead = 20;     // as PostgresArray writes it
  constexpr std::size_t kElement = 12;  // its length and the number
  const std::string_view bytes = value(row, column);
  std::vector<std::int64_t> numbers;
  for (std::size_t at = kHead; at + kElement <= bytes.size(); at += kElement) {
    numbers.push_back(signed_of(bytes.substr(at + 4, 8)));
  }
  return numbers;
}

std::uint64_t PostgresRows::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

}  // namespace rtc::storage

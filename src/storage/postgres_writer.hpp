// What writes: batches of messages, new rooms. One thread at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "chat/message_store.hpp"
#include "chat/room_store.hpp"
#include "storage/postgres_connection.hpp"

namespace rtc::storage {

// The calls are those of the ports.
class PostgresWriter {
 public:
  // Both outlive it.
  PostgresWriter(const PostgresOptions& options, PostgresFigures& figures)
      : connection_(options, figures), figures_(figures) {}

  PostgresConnection& connection() { return connection_; }

  Result<std::vector<chat::Stored>> append(std::span<const chat::Draft> drafts);
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit);
  Result<void> create(const chat::Room& room, const chat::RoomBounds& bounds);
  Result<chat::Room> find_or_create_direct(const chat::Room& room, const chat::RoomBounds& bounds);

 private:
  // A batch of which it is not known whether it is stored. Nothing is written before it is.
  struct Unresolved {
    std::int64_t batch = 0;
    std::size_t messages = 0;
  };
  using Ids = std::vector<std::int64_t>;  // append_messages()'s answer

  // Finds out about unresolved_, on the connection that there is; nothing: it is not stored.
  Result<std::optional<Ids>> resolve(PostgresConnection::Clock::time_point deadline);
  PostgresAnswer make_room(const chat::Room& room, const chat::RoomBounds& bounds);

  PostgresConnection connection_;
  PostgresFigures& figures_;
  const Uuid id_ = Uuid::random();
  std::int64_t batch_ = 0;  // the last one's number
  std::optional<Unresolved> unresolved_;
};

}  // namespace rtc::storage

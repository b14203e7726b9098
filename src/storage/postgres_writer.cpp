#include "storage/postgres_writer.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>

#include "base/log.hpp"
#include "storage/postgres_rows.hpp"

namespace rtc::storage {
namespace {

using Clock = PostgresConnection::Clock;

constexpr std::size_t kBatchParameter = 1;

// The parameters of append_messages(), with no number of the batch yet.
PostgresParameters parameters_of(const Uuid& writer, std::span<const chat::Draft> drafts) {
  const std::size_t count = drafts.size();
  auto rooms = PostgresArray::of_uuids(count);
  auto senders = PostgresArray::of_uuids(count);
  auto nicknames = PostgresArray::of_bytes(count);
  auto name_tags = PostgresArray::of_bytes(count);
  auto addresses = PostgresArray::of_bytes(count);
  auto texts = PostgresArray::of_bytes(count);
  auto created = PostgresArray::of_integers(count);
  auto keys = PostgresArray::of_bytes(count);
  for (const chat::Draft& draft : drafts) {
    rooms.add(draft.room.value);
    senders.add(draft.sender.id().value);
    nicknames.add(draft.sender.nickname());
    name_tags.add(draft.sender.name_tag());
    addresses.add(draft.sender.address());
    texts.add(draft.text);
    created.add(draft.created_at_ms);
    keys.add(draft.key);
  }
  PostgresParameters parameters;
  parameters.add(writer).add(std::int64_t{0});
  for (auto* each :
       {&rooms, &senders, &nicknames, &name_tags, &addresses, &texts, &created, &keys}) {
    parameters.add(std::move(*each));
  }
  return parameters;
}

std::vector<chat::Stored> stored_of(const std::vector<std::int64_t>& ids) {
  std::vector<chat::Stored> stored;
  stored.reserve(ids.size());
  for (const std::int64_t id : ids) {
    stored.push_back({static_cast<MessageId>(id < 0 ? -id : id), id < 0});
  }
  return stored;
}

Error refusal_of(const PostgresAnswer& answer) {
  if (answer.state == kNoSuchRoom) return {ErrorCode::not_found_chatroom, "There is no such room."};
  if (answer.state == kRoomIsFull) {
    return {ErrorCode::forbidden_action, "The room is full; open another."};
  }
  return answer.error();
}

std::int64_t bound_of(std::uint64_t bound) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(bound, kMax));
}

Error room_refusal_of(const PostgresAnswer& answer, const chat::Room& room,
                      const chat::RoomBounds& bounds) {
  const bool own = answer.state == kOwnRoomsBound;
  if (!own && answer.state != kRoomsBound) return answer.error();
  return {ErrorCode::too_many_requests,
          fmt::format("No room was made: {}{} ({}) is reached.",
                      room.kind == chat::Room::Kind::direct ? "direct_" : "",
                      own ? "rooms_per_identity_max" : "rooms_max",
                      own ? bounds.rooms_per_identity_max : bounds.rooms_max)};
}

}  // namespace

Result<std::optional<PostgresWriter::Ids>> PostgresWriter::resolve(Clock::time_point deadline) {
  const auto answer = connection_.run(
      PostgresStatement::resolve, PostgresParameters().add(id_).add(unresolved_->batch), deadline);
  if (!answer.ok()) return answer.error();
  unresolved_.reset();
  figures_.resolved.fetch_add(1, std::memory_order_relaxed);
  if (answer.rows.is_null(0, 0)) return std::optional<Ids>();
  return std::optional(answer.rows.integers(0, 0));
}

Result<std::vector<chat::Stored>> PostgresWriter::append(std::span<const chat::Draft> drafts) {
  if (drafts.empty()) return std::vector<chat::Stored>();
  const Clock::time_point deadline = connection_.deadline();
  PostgresParameters parameters = parameters_of(id_, drafts);
  bool unresolved_is_this = false;
  while (true) {
    if (const auto connected = connection_.connect(deadline); !connected) return connected.error();
    if (unresolved_) {
      const std::size_t messages = unresolved_->messages;
      const auto found = resolve(deadline);
      if (!found) {
        if (connection_.connected() || Clock::now() >= deadline) return found.error();
        continue;
      }
      if (*found && unresolved_is_this) return stored_of(**found);
      if (*found) {
        log::warn(
            "store: of {} messages whose senders were told that they could not be stored, it "
            "was not known; they are stored",
            messages);
      }
    }
    parameters.set(kBatchParameter, ++batch_);
    const auto answer = connection_.run(PostgresStatement::append, parameters, deadline);
    if (answer.ok()) return stored_of(answer.rows.integers(0, 0));
    if (!answer.lost) return refusal_of(answer);
    unresolved_ = {batch_, drafts.size()};
    unresolved_is_this = true;
    if (Clock::now() >= deadline) return answer.error();
  }
}

Result<std::uint64_t> PostgresWriter::forget_keys(std::int64_t before_ms, std::uint32_t limit) {
  const auto answer = connection_.ask(PostgresStatement::forget_keys,
                                      PostgresParameters().add(before_ms).add(std::int64_t{limit}));
  if (!answer.ok()) return answer.error();
  return answer.rows.affected();
}

PostgresAnswer PostgresWriter::make_room(const chat::Room& room, const chat::RoomBounds& bounds) {
  return connection_.ask(PostgresStatement::make_room,
                         PostgresParameters()
                             .add(room.id.value)
                             .add_small(static_cast<std::int16_t>(room.kind))
                             .add(room.name)
                             .add(room.created_at_ms)
                             .add(room.creator.value)
                             .add(room.members[0].value)
                             .add(room.members[1].value)
                             .add_flag(room.history)
                             .add(bound_of(bounds.rooms_max))
                             .add(bound_of(bounds.rooms_per_identity_max))
                             .add(room.topic));
}

Result<void> PostgresWriter::create(const chat::Room& room, const chat::RoomBounds& bounds) {
  const auto answer = make_room(room, bounds);
  if (!answer.ok()) return room_refusal_of(answer, room, bounds);
  return {};
}

Result<chat::Room> PostgresWriter::find_or_create_direct(const chat::Room& room,
                                                         const chat::RoomBounds& bounds) {
  const auto answer = make_room(room, bounds);
  if (!answer.ok()) return room_refusal_of(answer, room, bounds);
  return room_of(answer.rows, 0);
}

}  // namespace rtc::storage

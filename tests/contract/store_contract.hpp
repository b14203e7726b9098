// What every adapter of MessageStore, RoomStore and BanStore must do. An adapter's test file
// instantiates the suites with a function that makes an empty store; the tests are in
// message_store_contract.cpp, room_store_contract.cpp and ban_store_contract.cpp.
#pragma once

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "chat/ban_store.hpp"
#include "chat/message_store.hpp"
#include "chat/room_store.hpp"

namespace rtc::chat {

// A store under test, and whatever must live as long as it.
class Stores {
 public:
  virtual ~Stores() = default;
  virtual MessageStore& messages() = 0;
  virtual RoomStore& rooms() = 0;
  virtual BanStore& bans() = 0;
};
using MakeStores = std::unique_ptr<Stores> (*)();

inline constexpr RoomBounds kAmple = {1'000'000, 1'000'000};

inline Draft draft(RoomId room, std::string text) {
  static const SharedIdentity sender({UserId::random(), "다람쥐42", "#0A1B2C", "203.0"});
  return {room, sender, std::move(text), 1'700'000'000'123, ""};
}

inline Room open_room(std::string name, UserId creator = UserId::random()) {
  return {RoomId::random(), Room::Kind::open, std::move(name), 1'700'000'000'456, creator, {}};
}

inline Room direct_room(UserId creator, UserId other) {
  const auto [low, high] = std::minmax(creator, other);
  return {RoomId::random(), Room::Kind::direct, "", 1'700'000'000'789, creator, {low, high}};
}

// The ids of an append that must succeed and holds no retry.
inline std::vector<MessageId> ids_stored(const Result<std::vector<Stored>>& stored) {
  std::vector<MessageId> ids;
  for (const auto& [id, repeated] : stored.value()) {
    EXPECT_FALSE(repeated);
    ids.push_back(id);
  }
  return ids;
}

class StoreContract : public testing::TestWithParam<MakeStores> {
 protected:
  RoomId make_room(std::string name = "a room") {
    const Room room = open_room(std::move(name));
    EXPECT_TRUE(rooms().create(room, kAmple));
    return room.id;
  }
  // Appends texts "1", "2" … up to `count`, in one batch.
  void fill(RoomId room, int count) {
    std::vector<Draft> drafts;
    for (int i = 1; i <= count; ++i) drafts.push_back(draft(room, std::to_string(i)));
    EXPECT_TRUE(messages().append(drafts));
  }

  std::vector<MessageId> appended(std::vector<Draft> drafts) {
    return ids_stored(messages().append(drafts));
  }

  MessageStore& messages() { return stores_->messages(); }
  RoomStore& rooms() { return stores_->rooms(); }
  BanStore& bans() { return stores_->bans(); }

 private:
  std::unique_ptr<Stores> stores_ = GetParam()();
};

class MessageStoreContract : public StoreContract {};
class RoomStoreContract : public StoreContract {};
class BanStoreContract : public StoreContract {};

}  // namespace rtc::chat

// Rooms without history: what a session's messages to them become, beside those that are stored.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/log.hpp"
#include "server/session.hpp"
#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::header_of;
using test::lobby;
using test::Person;
using test::receipt;
using test::Texts;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SessionLiveTest : public test::SessionsTest {
 protected:
  SessionLiveTest() {
    log::set_level(log::Level::off);
    chat::Room room{RoomId::random(), chat::Room::Kind::open, "live", 1, {}, {}, false};
    live_ = room.id;
    EXPECT_TRUE(world_.store.create(room, {10, 10}));
  }
  ~SessionLiveTest() override {
    world_.stop();
    log::set_level(log::Level::info);
  }
  std::string destination() const { return "/sub/channel/" + live_.to_string(); }
  // One who hears his errors and both rooms.
  Person& join() {
    if (people_.empty()) world_.start();
    Person& person = enter([&](Person& each) {
      each.connect();
      each.subscribe("err", std::string(test::kErrors));
      each.subscribe("stored", lobby());
      each.subscribe("live", destination(), receipt("joined"));
    });
    await_receipts(person, {"joined"});
    on([&] { person.output.frames.clear(); });
    return person;
  }
  void await_receipts(Person& person, const Texts& names) {
    world_.await([&] { return person.output.all("RECEIPT", "receipt-id").size() >= names.size(); });
    EXPECT_EQ(receipts(person), names);
  }
  // The values of `name` in the MESSAGEs of that subscription.
  Texts heard(Person& person, const std::string& id, const std::string& name = "id") {
    Texts values;
    on([&] {
      for (const std::string& frame : person.output.frames) {
        if (header_of(frame, "subscription") == id) values.push_back(header_of(frame, name));
      }
    });
    return values;
  }
  std::size_t stored(const RoomId& room) {
    return world_.store.page_after(room, 0, 1000).value().size();
  }

  RoomId live_;
};

TEST_F(SessionLiveTest, AMessageIsHeardNumberedAndNotStored) {
  Person& sender = join();
  Person& reader = join();
  on([&] {
    sender.send(live_, "one", receipt("1"));
    sender.send(live_, "two", receipt("2"));
  });
  await_receipts(sender, {"1", "2"});
  Texts ids;
  on([&] { ids = sender.output.all("RECEIPT", "id"); });
  EXPECT_THAT(ids, ElementsAre("1", "2"));
  EXPECT_THAT(heard(reader, "live"), ElementsAre("1", "2"));
  const std::string& epoch = world_.fanout.live_epoch();
  EXPECT_THAT(heard(reader, "live", "epoch"), ElementsAre(epoch, epoch));
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2"));
  EXPECT_EQ(stored(live_), 0U);
}

TEST_F(SessionLiveTest, GoesOnWhileTheStoreFails) {
  Person& sender = join();
  world_.store.set_failing(true);
  on([&] {
    sender.send(chat::lobby_id(), "lost", receipt("1"));
    sender.send(live_, "heard", receipt("2"));
  });
  await_receipts(sender, {"2"});
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1"));
  EXPECT_THAT(heard(sender, "err", "receipt-id"), ElementsAre("1"));
}

TEST_F(SessionLiveTest, ReceiptsKeepTheOrderOfTheRequestsAmongStoredMessages) {
  Person& sender = join();
  world_.hold_outcomes();
  on([&] {
    sender.send(live_, "a", receipt("1"));
    sender.send(chat::lobby_id(), "b", receipt("2"));
    sender.send(live_, "c", receipt("3"));
    sender.send(live_, "d", receipt("4"));
  });
  world_.await_held(1);
  world_.await([&] { return sender.output.all("MESSAGE", "id").size() >= 4; });
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2", "3")) << "readers do not wait";
  EXPECT_THAT(receipts(sender), ElementsAre("1")) << "the rest waits for the stored one";
  world_.let_go(1);
  await_receipts(sender, {"1", "2", "3", "4"});
}

TEST_F(SessionLiveTest, AMessageKeyDoesNotCount) {
  Person& sender = join();
  on([&] {
    sender.send(live_, "a", "message-key:k\n" + receipt("1"));
    sender.send(live_, "a", "message-key:k\n" + receipt("2"));
  });
  await_receipts(sender, {"1", "2"});
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2"));
}

TEST_F(SessionLiveTest, IsBoundedByWhatWaitsForTheLoops) {
  world_.config.store_queue_max = 3;
  Person& sender = join();
  on([&] {
    for (int n = 1; n <= 5; ++n) sender.send(live_, "x", receipt(std::to_string(n)));
  });
  await_receipts(sender, {"1", "2", "3", "4"});
  EXPECT_THAT(heard(sender, "err", "receipt-id"), ElementsAre("5"));
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(world_.fanout.undelivered(), 0);
}

TEST_F(SessionLiveTest, InputThatWaitedForReceiptsGoesOn) {
  world_.config.sends_in_flight_max = 2;
  Person& sender = join();
  on([&] {
    for (int n = 1; n <= 9; ++n) sender.send(live_, "x", receipt(std::to_string(n)));
  });
  await_receipts(sender, {"1", "2", "3", "4", "5", "6", "7", "8", "9"});
  world_.await([&] { return sender.output.all("MESSAGE", "id").size() == 9; });
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2", "3", "4", "5", "6", "7", "8", "9"));
}

TEST_F(SessionLiveTest, DisconnectComesAfterItsReceipt) {
  Person& sender = join();
  on([&] {
    sender.send(live_, "last", receipt("1"));
    sender.say("DISCONNECT\nreceipt:bye\n\n");
  });
  world_.await([&] { return sender.output.close_code != 0; });
  EXPECT_THAT(receipts(sender), ElementsAre("1", "bye"));
  EXPECT_EQ(sender.output.close_code, 1000);
}

TEST_F(SessionLiveTest, ATransactionOfLiveMessagesIsInOnePiece) {
  Person& sender = join();
  on([&] {
    sender.say("BEGIN\ntransaction:t\n\n");
    sender.send(live_, "one", "transaction:t\n");
    sender.send(live_, "outside", receipt("1"));
    sender.send(live_, "two", "transaction:t\n");
    sender.say("COMMIT\ntransaction:t\nreceipt:2\n\n");
  });
  await_receipts(sender, {"1", "2"});
  Texts ids;
  on([&] { ids = sender.output.all("RECEIPT", "ids"); });
  EXPECT_THAT(ids, ElementsAre("", "2,3"));
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2", "3"));
}

TEST_F(SessionLiveTest, ATransactionOverBothKindsKeepsTheSessionsOrder) {
  Person& sender = join();
  world_.hold_outcomes();
  on([&] {
    sender.send(live_, "before", receipt("1"));
    sender.say("BEGIN\ntransaction:t\n\n");
    sender.send(live_, "in it", "transaction:t\n");
    sender.send(chat::lobby_id(), "in it", "transaction:t\n");
    sender.send(live_, "in it", "transaction:t\n");
    sender.say("COMMIT\ntransaction:t\nreceipt:2\n\n");
    sender.send(live_, "after", receipt("3"));
  });
  world_.await_held(3);
  on([&] { EXPECT_TRUE(sender.output.paused) << "what follows must not overtake it"; });
  EXPECT_THAT(receipts(sender), ElementsAre("1"));
  world_.let_go(3);
  await_receipts(sender, {"1", "2", "3"});
  Texts ids;
  on([&] { ids = sender.output.all("RECEIPT", "ids"); });
  EXPECT_THAT(ids, ElementsAre("", "2,1,3", ""));
  on([&] { EXPECT_FALSE(sender.output.paused); });
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1", "2", "3", "4"));
  EXPECT_EQ(stored(chat::lobby_id()), 1U);
  EXPECT_EQ(stored(live_), 0U);
}

TEST_F(SessionLiveTest, ATransactionOverBothKindsThatCannotBeStoredIsNotHeard) {
  Person& sender = join();
  world_.store.set_failing(true);
  on([&] {
    sender.say("BEGIN\ntransaction:t\n\n");
    sender.send(live_, "x", "transaction:t\n");
    sender.send(chat::lobby_id(), "x", "transaction:t\n");
    sender.say("COMMIT\ntransaction:t\nreceipt:1\n\n");
    sender.send(live_, "after", receipt("2"));
  });
  await_receipts(sender, {"2"});
  EXPECT_THAT(heard(sender, "err", "receipt-id"), ElementsAre("1"));
  EXPECT_THAT(heard(sender, "live"), ElementsAre("1")) << "only what came after";
}

class ResumeLiveTest : public SessionLiveTest {
 protected:
  // The frames of a subscription with these headers, three messages being there before it.
  Texts resume(const std::string& more) {
    Person& sender = join();
    on([&] {
      for (int n = 1; n <= 3; ++n) sender.send(live_, "x", receipt(std::to_string(n)));
    });
    await_receipts(sender, {"1", "2", "3"});
    Person& reader = join();
    on([&] { reader.subscribe("again", destination(), more + receipt("a")); });
    await_receipts(reader, {"a"});
    on([&] { sender.send(live_, "x", receipt("4")); });
    await_receipts(sender, {"1", "2", "3", "4"});
    Texts frames;
    on([&] {
      EXPECT_EQ(test::command_of(reader.output.frames.front()), "RECEIPT");
      for (const std::string& frame : reader.output.frames) {
        if (header_of(frame, "subscription") == "again") frames.push_back(frame);
      }
    });
    EXPECT_EQ(header_of(frames.back(), "id"), "4") << "live goes on";
    frames.pop_back();
    return frames;
  }
};

TEST_F(ResumeLiveTest, NothingMissedNothingTold) {
  EXPECT_THAT(resume("since:3\nepoch:" + world_.fanout.live_epoch() + "\n"), IsEmpty());
}

TEST_F(ResumeLiveTest, WhatWasMissedIsAGap) {
  const Texts frames = resume("since:1\nepoch:" + world_.fanout.live_epoch() + "\n");
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(header_of(frames[0], "marker"), "HISTORY_GAP");
  EXPECT_EQ(header_of(frames[0], "epoch"), world_.fanout.live_epoch());
  EXPECT_THAT(frames[0], HasSubstr(R"({"type":"HISTORY_GAP","from":2,"to":3})"));
}

TEST_F(ResumeLiveTest, AnotherProcesssIdsAreTold) {
  const Texts frames = resume("since:3\nepoch:0123456789abcdef\n");
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(header_of(frames[0], "marker"), "EPOCH_CHANGED");
  EXPECT_THAT(frames[0], HasSubstr(R"("from":1,"to":3})"));
}

TEST_F(ResumeLiveTest, AnIdBeyondTheNewestIsAnotherProcesss) {
  const Texts frames = resume("since:4\n");
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(header_of(frames[0], "marker"), "EPOCH_CHANGED");
}

}  // namespace
}  // namespace rtc::server

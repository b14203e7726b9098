// The hub and its sessions against a simple model. People come, subscribe, resume, leave and are
// cut in random order, within turns and between them, while messages arrive and the store answers
// late or not at all: each must see the messages of his time, all of them, in order, once.
//
// The printed seed is the first round's, the next ones' follow it; RTC_TEST_ROUNDS runs more.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <deque>
#include <gtest/gtest.h>
#include <map>
#include <random>

#include "server/hub.hpp"
#include "unit/base/seed.hpp"
#include "unit/server/read_gate.hpp"
#include "unit/server/session_world.hpp"

namespace rtc::server {
namespace {

using test::command_of;
using test::header_of;
using test::Person;
using test::ReadGate;
using test::World;

constexpr int kTurns = 1'000;
constexpr std::size_t kRooms = 4;
constexpr std::size_t kPeopleMax = 24;
constexpr std::size_t kReplayMax = 700;
constexpr std::string_view kEpoch = "memory";  // the store's
constexpr std::string_view kErrors = "/user/queue/errors";

std::uint64_t rounds() {
  const char* given = std::getenv("RTC_TEST_ROUNDS");
  return given == nullptr ? 3 : std::strtoull(given, nullptr, 10);
}

struct Room {
  RoomId id;
  MessageId stored = 0;
  MessageId delivered = 0;  // to this loop's hub
  std::string destination() const { return "/sub/channel/" + id.to_string(); }
};

// What a subscriber must see: `next`, then everything after it.
struct Subscription {
  Room* room = nullptr;
  MessageId next = 0;
  bool live = true;     // he has all that was delivered here and all before `floor`
  MessageId floor = 0;  // when live: what `next` was when he became so

  // Of one who asked for what he missed.
  MessageId since = 0;
  MessageId stored_then = 0;
  bool other_epoch = false;
  bool first = true;  // nothing came yet
};

struct Member {
  std::unique_ptr<Person> person;
  bool stomp10 = false;
  bool hears_errors = true;
  std::map<std::string, Subscription> subscriptions;  // by id
};

std::string text_of(const Room& room, MessageId id) {
  // Some are long enough for a segment of their own.
  return room.id.to_string() + " message " + std::to_string(id) +
         std::string(id % 16 == 0 ? 1'500 : 0, '.');
}

// All but the constructor and turn() run on the loop's thread.
class Model {
 public:
  explicit Model(std::uint64_t seed) : random_(seed) {
    world_.config.history_replay_max = kReplayMax;
    world_.config.ping_interval_ms = 3'600'000;
    world_.readers = 1;
    for (std::uint8_t i = 0; i < kRooms; ++i) {
      chat::Room room;
      room.id.value.bytes[15] = static_cast<std::uint8_t>(i + 1);
      room.name = "room";
      EXPECT_TRUE(world_.store.create(room, {100, 100}));
      world_.shard().cache_room(room);
      rooms_[i].id = room.id;
    }
    world_.start();
    gate_ = std::make_unique<ReadGate>(store_queue());
  }
  ~Model() {
    gate_.reset();
    world_.stop();
  }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // "" while all is as it must be.
  const std::string& problem() const { return problem_; }

  // A turn of random events; what they led to is judged in the next one.
  void turn() {
    world_.on_loop([this] {
      judge();
      for (std::size_t count = pick(1, 10); count > 0 && problem_.empty(); --count) event();
    });
    gate_->mark();
    if (pick(0, 19) == 0) settle();
  }

  // Everybody goes in the middle of a turn, and nothing of them may be left.
  void end() {
    settle();
    world_.on_loop([this] {
      publish({&rooms_[0], &rooms_[1], &rooms_[2], &rooms_[3]});
      deliver(backlog_messages());
      members_.clear();
      for (Room& room : rooms_) check_unheard(room);
    });
    world_.on_loop([this] {
      for (Room& room : rooms_) check_unheard(room);
      check_nothing_kept();
    });
  }

 private:
  chat::StoreQueue& store_queue() { return world_.shard().services().store; }
  Hub& hub() { return world_.shard().hub(); }
  std::size_t pick(std::size_t low, std::size_t high) {
    return rtc::test::pick(random_, low, high);
  }
  Room& any_room() { return rooms_[pick(0, kRooms - 1)]; }
  void wrong(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }

  // --- events

  void event() {
    const std::size_t what = pick(0, 99);
    if (members_.empty() || what < 8) {
      if (members_.size() < kPeopleMax) come();
      return;
    }
    const auto member =
        members_.begin() + static_cast<std::ptrdiff_t>(pick(0, members_.size() - 1));
    if (what < 20) {
      subscribe(*member, false);
    } else if (what < 40) {
      subscribe(*member, true);
    } else if (what < 50) {
      unsubscribe(*member);
    } else if (what < 55) {
      leave(member);
    } else if (what < 60) {
      stall(*member, member->person->output.queued == 0);
    } else if (what < 70) {
      publish_some();
    } else if (what < 83) {
      deliver(pick(0, 3) == 0 ? backlog_messages() : pick(1, 40));
    } else if (what < 89) {
      hand_over();
    } else if (what < 98) {
      let_reads_through(pick(1, 3));
    } else {
      hub().flush();
    }
  }

  // What they read is of now; the answers come at the next turn's beginning, after all that is
  // committed and delivered in the rest of this one.
  void let_reads_through(std::size_t count) {
    if (gate_->waiting() > 30) count += 10;
    for (; count > 0 && gate_->waiting() > 0; --count) {
      const bool fails = pick(0, 39) == 0;
      reads_failed_ = reads_failed_ || fails;
      world_.store.reads_fail = fails;
      gate_->let_through();
    }
    world_.store.reads_fail = false;
  }

  void come() {
    static constexpr const char* kVersions[] = {"1.0", "1.1", "1.2"};
    const std::string version = kVersions[pick(0, 2)];
    Member& made = members_.emplace_back();
    made.person =
        std::make_unique<Person>(world_, pick(0, 1) == 0 ? Framing::websocket : Framing::sockjs);
    made.person->connect(version);
    made.stomp10 = version == "1.0";
    made.hears_errors = pick(0, 9) > 0;
    if (made.hears_errors) made.person->subscribe("errors", std::string(kErrors));
  }

  void subscribe(Member& member, bool resumes) {
    // In STOMP 1.0 an id may be absent, but frames are told apart by it here.
    const bool without_id = member.stomp10 && !resumes && pick(0, 3) == 0;
    const std::string id = without_id ? "" : "s-" + std::to_string(pick(0, 3));
    if (member.subscriptions.contains(id)) return;
    Room* room = &any_room();
    Subscription made{.room = room, .next = room->delivered + 1, .floor = room->delivered + 1};
    std::string headers = without_id ? "" : "id:" + id + "\n";
    if (resumes) {
      made.live = false;
      made.since = resume_point(*room);
      made.stored_then = room->stored;
      made.next = made.since + 1;
      const std::size_t epoch = pick(0, 19);
      made.other_epoch = epoch == 0;
      headers += "since:" + std::to_string(made.since) + "\n";
      if (epoch < 10) headers += "epoch:" + std::string(epoch == 0 ? "other" : kEpoch) + "\n";
    }
    member.subscriptions[id] = made;
    member.person->say("SUBSCRIBE\ndestination:" + room->destination() + "\n" + headers + "\n");
  }

  // Where somebody was cut, somewhere near the newest, at the bound, anywhere, or beyond the
  // newest.
  MessageId resume_point(const Room& room) {
    const std::size_t what = pick(0, 19);
    if (what < 10) {
      for (auto cut = cuts_.begin(); cut != cuts_.end(); ++cut) {
        if (cut->first != &room) continue;
        const MessageId last = cut->second;
        cuts_.erase(cut);
        return last;
      }
    }
    if (what == 0) return room.stored + pick(1, 5);
    if (what == 1) return room.stored - std::min(room.stored, kReplayMax + pick(0, 2));
    return room.stored - pick(0, what < 15 ? std::min<MessageId>(room.stored, 20) : room.stored);
  }

  void unsubscribe(Member& member) {
    if (member.subscriptions.empty()) return;
    const auto chosen =
        std::next(member.subscriptions.begin(),
                  static_cast<std::ptrdiff_t>(pick(0, member.subscriptions.size() - 1)));
    const Room* room = chosen->second.room;
    std::string header = "id:" + chosen->first;
    if (chosen->first.empty()) {
      for (const auto& [id, other] : member.subscriptions) {
        if (!id.empty() && other.room == room) return;  // the room would name either
      }
      header = "destination:" + room->destination();
    }
    member.person->say("UNSUBSCRIBE\n" + header + "\n\n");
    take(member);
    check_up_to_date(chosen->second);  // what came before is still the leaver's
    member.subscriptions.erase(chosen);
  }

  void leave(std::vector<Member>::iterator member) {
    take(*member);
    for (const auto& [id, subscription] : member->subscriptions) {
      cuts_.emplace_back(subscription.room, subscription.next - 1);
      if (cuts_.size() > 16) cuts_.pop_front();
    }
    if (pick(0, 2) == 0) {
      member->person->say("DISCONNECT\n\n");
      take(*member);
      for (const auto& [id, subscription] : member->subscriptions) check_up_to_date(subscription);
    }
    members_.erase(member);
  }

  // Its socket takes no more, or everything again.
  static void stall(Member& member, bool on) {
    member.person->output.queued = on ? 1 : 0;
    if (!on) member.person->session.on_drained();
  }

  // A few messages for any room, or many for one; now and then, between a read and its answer,
  // about as many as the hub keeps for who catches up.
  void publish_some() {
    const std::size_t kind = pick(0, 99);
    std::vector<Room*> to;
    if (kind > 0) {
      for (std::size_t count = pick(1, 6); count > 0; --count) to.push_back(&any_room());
      if (kind < 5) to.insert(to.end(), pick(50, 250), &any_room());
      publish(to);
      return;
    }
    deliver(backlog_messages());
    let_reads_through(gate_->waiting());
    publish(std::vector<Room*>(Hub::kRecentMax + pick(0, 2), &any_room()));
    deliver(backlog_messages());
  }

  // Commits a batch: from now on pages have it; the hub hears of it later.
  void publish(const std::vector<Room*>& to) {
    auto batch = std::make_shared<std::vector<chat::Message>>();
    std::vector<chat::Draft> drafts;
    for (Room* room : to) {
      const MessageId id = ++room->stored;
      drafts.push_back(
          {room->id, chat::SharedIdentity({test::FakeTokens::user('1'), "n", "#000000", "203.0"}),
           text_of(*room, id), 0, ""});
      batch->push_back({room->id, id, drafts.back().sender, drafts.back().text, 0});
    }
    if (!world_.store.append(drafts)) wrong("the store did not take a message");
    batches_.push_back(batch);
    backlog_.push_back(std::move(batch));
  }

  // To the hub at once: what follows in this turn comes after it and before the turn's end.
  void deliver(std::size_t count) {
    if (whole_batches_only_) return;
    for (; count > 0 && !backlog_.empty(); --count) {
      const chat::MessageBatch batch = backlog_.front();
      const chat::Message& message = (*batch)[next_in_backlog_];
      Room& room = *std::find_if(rooms_.begin(), rooms_.end(),
                                 [&](const Room& each) { return each.id == message.room; });
      const std::size_t before = hub().pending_bytes();
      hub().deliver(batch, next_in_backlog_);
      if ((hub().pending_bytes() > before) != is_heard(room)) {
        wrong("the hub keeps a room that nobody listens to, or lost one");
      }
      room.delivered = message.id;
      if (++next_in_backlog_ == batch->size()) pop_backlog();
    }
  }

  // To the shard, which delivers at the turn's end; nothing may overtake it.
  void hand_over() {
    if (next_in_backlog_ > 0 || hub().pending_bytes() > Shard::kTurnBytesMax / 4) return;
    for (std::size_t count = 0; !backlog_.empty(); pop_backlog()) {
      count += backlog_.front()->size();
      if (count > 250) return;  // what one turn surely delivers
      whole_batches_only_ = true;
      world_.fanout.publish(backlog_.front());
      world_.shard().collect_messages();
      for (const chat::Message& message : *backlog_.front()) handed_over_.push_back(message.room);
    }
  }

  void pop_backlog() {
    backlog_.pop_front();
    next_in_backlog_ = 0;
  }
  std::size_t backlog_messages() const {
    std::size_t count = 0;
    for (const auto& batch : backlog_) count += batch->size();
    return count - next_in_backlog_;
  }
  bool is_heard(const Room& room) const {
    for (const Member& member : members_) {
      for (const auto& [id, subscription] : member.subscriptions) {
        if (subscription.room == &room) return true;
      }
    }
    return false;
  }
  void check_unheard(const Room& room) {
    const std::size_t before = hub().pending_bytes();
    chat::Message message;
    message.room = room.id;
    message.text = "nobody hears this";
    hub().deliver(std::make_shared<const std::vector<chat::Message>>(1, message), 0);
    if (hub().pending_bytes() != before) wrong("a room is kept although all are gone");
  }

  void check_nothing_kept() {
    for (const auto& batch : batches_) {
      if (!batch.expired()) wrong("a delivered batch is kept although nobody catches up");
    }
    batches_.clear();
  }

  // --- what they saw

  // At a turn's beginning: the last one's end handed everything out.
  void judge() {
    whole_batches_only_ = false;
    for (const RoomId& id : handed_over_) {
      for (Room& room : rooms_) room.delivered += room.id == id ? 1U : 0U;
    }
    handed_over_.clear();
    for (auto member = members_.begin(); member != members_.end();) {
      take(*member);
      if (member->person->output.close_code != 0) {
        const bool may_end = reads_failed_ && !member->hears_errors && is_resuming(*member);
        if (!may_end) wrong("a session ended: " + member->person->output.last());
        member = members_.erase(member);
        continue;
      }
      for (const auto& [id, subscription] : member->subscriptions) check_up_to_date(subscription);
      ++member;
    }
    reads_failed_ = false;
  }

  static bool is_resuming(const Member& member) {
    return std::any_of(member.subscriptions.begin(), member.subscriptions.end(),
                       [](const auto& each) { return !each.second.live; });
  }

  // Told that a history could not be read: which subscription that ends.
  void take_end(Member& member, const std::string& frame) {
    const auto found = member.subscriptions.find(header_of(frame, "ended-subscription"));
    if (!reads_failed_ || found == member.subscriptions.end() || found->second.live ||
        found->second.room->destination() != header_of(frame, "ended-destination")) {
      wrong("this ends no subscription that was resuming: " + frame);
      return;
    }
    member.subscriptions.erase(found);
  }

  void check_up_to_date(const Subscription& subscription) {
    if (!subscription.live) return;
    const MessageId next = std::max(subscription.room->delivered + 1, subscription.floor);
    if (subscription.next == next) return;
    wrong("a subscriber waits for " + std::to_string(subscription.next) + " instead of " +
          std::to_string(next));
  }

  void take(Member& member) {
    std::vector<std::string> frames = std::exchange(member.person->output.frames, {});
    for (const std::string& frame : frames) {
      const std::string command = command_of(frame);
      if (command == "ERROR") member.person->output.frames = {frame};  // its reason, for judge()
      if (command != "MESSAGE") continue;
      const std::string destination = header_of(frame, "destination");
      if (destination == kErrors) {
        take_end(member, frame);
        continue;
      }
      const auto found = member.subscriptions.find(header_of(frame, "subscription"));
      if (found != member.subscriptions.end() && found->second.room->destination() == destination) {
        take(found->second, frame);
      } else {
        wrong("a message for nobody: " + frame);
      }
    }
  }

  void take(Subscription& subscription, const std::string& frame) {
    const bool first = std::exchange(subscription.first, false);
    if (!header_of(frame, "marker").empty()) {
      take_marker(subscription, first, frame);
      return;
    }
    const Room& room = *subscription.room;
    const MessageId id = subscription.next++;
    const bool missed_marker =
        first && !subscription.live &&
        (subscription.other_epoch || subscription.stored_then > subscription.since + kReplayMax);
    if (missed_marker) wrong("no marker before: " + frame);
    if (id > room.stored || header_of(frame, "id") != std::to_string(id) ||
        header_of(frame, "message-id") != room.id.to_string() + "-" + std::to_string(id) ||
        header_of(frame, "epoch") != kEpoch ||
        frame.find("\"message\":\"" + text_of(room, id) + "\"") == std::string::npos) {
      wrong("expected message " + std::to_string(id) + " of " + room.destination() +
            ", but got: " + frame);
    }
  }

  void take_marker(Subscription& subscription, bool first, const std::string& frame) {
    const std::string marker = header_of(frame, "marker");
    const auto body = boost::json::parse(
        frame.substr(frame.find("\n\n") + 2, frame.size() - frame.find("\n\n") - 3));
    const auto from = body.at("from").to_number<MessageId>();
    const auto to = body.at("to").to_number<MessageId>();
    const bool changed = subscription.other_epoch || subscription.since > to;
    const bool gap = !changed && to > subscription.since + kReplayMax;
    const bool right =
        marker == "EPOCH_CHANGED" ? changed && from == 1 : gap && from == subscription.since + 1;
    if (!right || !first || subscription.live || to < subscription.stored_then ||
        to > subscription.room->stored) {
      wrong("a marker that may not be: " + frame);
    }
    subscription.other_epoch = false;
    subscription.next = to + 1;
  }

  // All sockets take everything again and all reads are answered, also those that follow from them:
  // now nobody may lack anything, and who resumed is as live as the rest.
  void settle() {
    world_.on_loop([this] {
      judge();
      for (Member& member : members_) stall(member, false);
    });
    for (std::uint64_t before = UINT64_MAX, answered = 0; before != answered;) {
      gate_->mark();
      while (gate_->waiting() > 0) gate_->let_through();
      world_.on_loop([] {});  // after the answers, which may ask for more
      before = std::exchange(answered, store_queue().figures().reads.load() + 1 - gate_->marks());
    }
    world_.on_loop([this] {
      judge();
      for (Member& member : members_) {
        for (auto& [id, subscription] : member.subscriptions) become_live(subscription);
      }
      deliver(backlog_messages());
      publish({&rooms_[0], &rooms_[1], &rooms_[2], &rooms_[3]});
      deliver(backlog_messages());  // with it the hub learns that nobody catches up any more
      check_nothing_kept();
    });
  }

  void become_live(Subscription& subscription) {
    if (subscription.live) return;
    const MessageId next = subscription.next;
    if (subscription.other_epoch || next > subscription.room->stored + 1) {
      wrong("no EPOCH_CHANGED was told");
    }
    if (next <= subscription.room->delivered) wrong("a subscriber did not get all he missed");
    subscription.live = true;
    subscription.floor = next;
  }

  std::mt19937_64 random_;
  World world_;
  std::unique_ptr<ReadGate> gate_;
  std::array<Room, kRooms> rooms_;
  std::vector<Member> members_;
  std::deque<std::pair<Room*, MessageId>> cuts_;  // where sessions ended: the last they had
  std::deque<chat::MessageBatch> backlog_;        // stored, not yet delivered
  std::size_t next_in_backlog_ = 0;               // of its first batch
  std::vector<RoomId> handed_over_;               // delivered at the turn's end, one a message
  std::vector<std::weak_ptr<const std::vector<chat::Message>>> batches_;
  bool whole_batches_only_ = false;
  bool reads_failed_ = false;  // since the last judgement
  std::string problem_;
};

TEST(HubModel, EverybodySeesHisTimeOnceAndInOrder) {
  for (std::uint64_t round = 0; round < rounds(); ++round) {
    const std::uint64_t seed = rtc::test::seed() + round;
    Model model(seed);
    for (int turn = 0; turn < kTurns; ++turn) {
      model.turn();
      ASSERT_EQ(model.problem(), "") << "in turn " << turn << " of RTC_TEST_SEED=" << seed;
    }
    model.end();
    ASSERT_EQ(model.problem(), "") << "at the end of RTC_TEST_SEED=" << seed;
  }
}

}  // namespace
}  // namespace rtc::server

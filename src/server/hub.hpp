// Who hears what, on one loop. The loop's thread only.
//
// The hot path. A topic's subscribers are grouped by everything that changes the bytes they get:
// subscription id, STOMP version, framing, compression. Stock clients call their first subscription
// alike, so a room is mostly one group. A message is encoded once a group, into the group's buffer;
// at the end of the loop's turn each group's buffer becomes one shared segment, handed to each of
// its members. So a delivery costs one push of a pointer, whatever number of messages the turn
// brought.
//
// Who asks for what he missed (SUBSCRIBE with `since`) holds a seat first: he hears nothing while
// his session reads the store, and is seated exactly where the store's last page ended.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/histogram.hpp"
#include "chat/relay.hpp"
#include "server/broker_message.hpp"
#include "server/room_message.hpp"
#include "server/topic.hpp"
#include "stomp/frame.hpp"

namespace rtc::server {

// What is told beside messages, as JSON made once for all loops.
struct News {
  Destination::Kind kind = Destination::Kind::presence;  // or rooms
  RoomId key;                                            // as Destination::room
  std::string body;
};

class Hub {
 public:
  static constexpr std::uint32_t kHeld = 0xFFFFFFFF;
  // Messages that a topic keeps for those who are catching up; beyond it they read on.
  static constexpr std::size_t kRecentMax = 1024;

  // A place in a group; kept by the session, which must leave() before it dies.
  struct Seat {
    Group* group = nullptr;
    std::uint32_t index = 0;  // kHeld: nothing is delivered to it yet
  };

  // What names the ids: the store's, those of rooms without history. Told with every message.
  struct Epochs {
    std::string stored;
    std::string live;
  };

  // Messages of `deflate_bytes_min` and more are
  // compressed where the subscriber's transport agreed to it.
  Hub(Epochs epochs, websocket::Deflater& deflater, std::size_t deflate_bytes_min);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  // `subscription` is the index under which the session keeps the seat; the hub tells it when the
  // seat's own index changes (Session::seat_moved).
  Seat join(const Destination& destination, const Variant& variant, Session& session,
            std::uint32_t subscription);
  // The same place in a room, held until catch_up().
  Seat hold(const Destination& destination, const Variant& variant, Session& session,
            std::uint32_t subscription);
  // The session has every message up to `last`. Sends it what was delivered here since, and lets it
  // hear the rest (it learns its index by Session::seat_moved). False when what was delivered is no
  // longer at hand, or is more than `bytes_max` as sent: it must read on in the store.
  bool catch_up(const Seat& seat, const Session& session, std::uint32_t subscription,
                MessageId last, std::size_t bytes_max);
  // `session` and `subscription` as the seat was taken with.
  void leave(const Seat& seat, const Session& session, std::uint32_t subscription);

  // Encodes one message of the batch for its room's subscribers here, if there are any.
  void deliver(const chat::MessageBatch& batch, std::size_t index);
  // About how much memory was filled by deliver() since the last flush().
  std::size_t pending_bytes() const { return pending_bytes_; }
  // Encodes the number of connected people for the subscribers of the entry topic.
  void deliver_count(std::uint64_t count);
  bool has_entry_subscribers() const { return !entry_.groups_.empty(); }
  // Encodes news for their listeners here: a room's presence change, or somebody's `rooms`.
  void deliver(const News& news);

  // Encodes a topic's message of the broker for its subscribers here.
  void deliver(const BrokerMessage& message);
  // Patterns that somebody here listens to; whether that one is among them.
  std::size_t patterns() const { return patterns_.size(); }
  bool has_pattern(const std::string& name) const { return patterns_.contains(name); }

  // One message to one session: the bytes, framed as the group's.
  static std::string encode(const Group& group, std::string_view message_id,
                            std::string_view content_type,
                            std::span<const stomp::Header> more_headers, std::string_view body);
  // A room's message, as deliver() encodes it.
  std::string encode(Group& group, const chat::Message& message) const;
  const Epochs& epochs() const { return epochs_; }

  // Hands out what was encoded since the last call. Once a turn.
  void flush();

  std::uint64_t deliveries() const { return deliveries_; }
  // Their sizes, by which flush() handed them out: messages for one subscriber at once, as one
  // write carries them. The sum is deliveries(). Any thread.
  using HandedOut = Histogram<0, 10>;
  const HandedOut& handed_out() const { return handed_out_; }
  // Bytes of presence changes (not of messages) handed to sessions.
  std::uint64_t presence_bytes() const { return presence_bytes_; }

 private:
  using Topics = std::unordered_map<RoomId, std::unique_ptr<Topic>>;

  using NamedTopics = std::unordered_map<std::string, std::unique_ptr<Topic>>;

  Topics* topics_of(Destination::Kind kind);
  Topic& topic_of(const Destination& destination);
  Group& group_of(const Destination& destination, const Variant& variant);
  static std::vector<Topic::Held>::iterator find_held(const Group& group, const Session& session,
                                                      std::uint32_t subscription);
  std::uint32_t add_member(Group& group, const Group::Member& member);
  void seat_ready(Topic& topic, const chat::MessageBatch& batch, std::size_t index);
  void mark_dirty(Group& group);
  template <class Frames>
  void append(Group& group, Frames& message);
  static void seal(Group& group);
  void hand_out(Group& group);
  void erase_if_empty(Group& group);

  Epochs epochs_;
  RoomMessage::Context context_;
  RoomMessage room_message_{context_};  // the one that is being delivered
  Topic entry_;
  Topic errors_;
  Topics rooms_;
  Topics presence_;
  Topics callers_;        // `rooms` of each person who listens
  NamedTopics named_;     // the broker's topics, queues and users
  NamedTopics patterns_;  // of its topics
  std::vector<Group*> dirty_;
  std::size_t pending_bytes_ = 0;
  std::uint64_t deliveries_ = 0;
  HandedOut handed_out_;
  std::uint64_t presence_bytes_ = 0;
  std::uint64_t counts_sent_ = 0;  // messages about presence: each has an id of its own
};

}  // namespace rtc::server

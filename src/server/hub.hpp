// Who hears what, on one loop. The loop's thread only.
//
// The hot path. A topic's subscribers are grouped by everything that changes the bytes they get:
// subscription id, STOMP version, framing. Stock clients call their first subscription alike, so a
// room is mostly one group. A message is encoded once a group, into the group's buffer; at the end
// of the loop's turn each group's buffer becomes one shared segment, handed to each of its members.
// So a delivery costs one push of a pointer, whatever number of messages the turn brought.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "chat/message.hpp"
#include "net/bytes.hpp"
#include "server/destinations.hpp"
#include "server/framing.hpp"
#include "stomp/frame.hpp"

namespace rtc::server {

class Session;
class Topic;

// What makes two subscribers' bytes the same.
struct Variant {
  std::string subscription_id;  // "" only in STOMP 1.0: no `subscription` header
  stomp::Version version = stomp::Version::v1_2;
  Framing framing = Framing::websocket;

  bool operator==(const Variant&) const = default;
};

// The subscribers of one topic that get the same bytes.
class Group {
 public:
  struct Member {
    Session* session;
    std::uint32_t subscription;  // its index in the session
  };

  Topic& topic() { return *topic_; }
  const Variant& variant() const { return variant_; }

 private:
  friend class Hub;
  friend class Topic;

  Topic* topic_ = nullptr;
  Variant variant_;
  std::vector<Member> members_;
  std::string pending_;          // whole frames, to be handed out at the turn's end
  std::size_t dirty_index_ = 0;  // in the hub's list, while pending_ is not empty
};

class Topic {
 public:
  const std::string& destination() const { return destination_; }

 private:
  friend class Hub;
  struct VariantHash {
    std::size_t operator()(const Variant& variant) const {
      return std::hash<std::string>{}(variant.subscription_id) * 31 +
             static_cast<std::size_t>(variant.version) * 3 +
             static_cast<std::size_t>(variant.framing);
    }
  };

  Destination key_;
  std::string destination_;
  std::unordered_map<Variant, std::unique_ptr<Group>, VariantHash> groups_;
};

class Hub {
 public:
  // A place in a group; kept by the session, which must leave() before it dies.
  struct Seat {
    Group* group = nullptr;
    std::uint32_t index = 0;
  };

  Hub();
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  // `subscription` is the index under which the session keeps the seat; the hub tells it when the
  // seat's own index changes (Session::seat_moved).
  Seat join(const Destination& destination, const Variant& variant, Session& session,
            std::uint32_t subscription);
  void leave(const Seat& seat);

  // Encodes for the room's subscribers here, if it has any.
  void deliver(const chat::Message& message);
  // Encodes the number of connected people for the subscribers of the entry topic.
  void deliver_count(std::uint64_t count);
  bool has_entry_subscribers() const { return !entry_.groups_.empty(); }

  // One message to one session: the bytes, framed as the group's.
  static std::string encode(const Group& group, std::string_view message_id,
                            std::string_view content_type, std::string_view extra_name,
                            std::string_view extra_value, std::string_view body);

  // Hands out what was encoded since the last call. Once a turn.
  void flush();

  std::uint64_t deliveries() const { return deliveries_; }

 private:
  Topic& topic_of(const Destination& destination);
  void encode_for_all(Topic& topic, std::string_view message_id, std::string_view content_type,
                      std::string_view body);
  void hand_out(Group& group);

  Topic entry_;
  Topic errors_;
  std::unordered_map<RoomId, std::unique_ptr<Topic>> rooms_;
  std::vector<Group*> dirty_;
  std::uint64_t deliveries_ = 0;
  std::uint64_t counts_sent_ = 0;
};

}  // namespace rtc::server

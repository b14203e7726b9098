// One STOMP session: from CONNECT to its end, whatever carries it. The loop's thread only.
//
// Bytes come in through on_bytes(), frames go out through a SessionOutput. It takes none (its
// output pauses) while it waits for a room or a COMMIT, or too many of its messages do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/pooled.hpp"
#include "base/slot_map.hpp"
#include "chat/limits.hpp"
#include "chat/shared_identity.hpp"
#include "chat/store_queue.hpp"
#include "net/bytes.hpp"
#include "server/application.hpp"
#include "server/hub.hpp"
#include "server/seats.hpp"
#include "server/session_broker.hpp"
#include "server/session_busy.hpp"
#include "server/session_timing.hpp"
#include "stomp/parser.hpp"

namespace rtc::server {

class Shard;

class Session final : public Application, public Pooled<Session> {
 public:
  // Longest subscription id and receipt header: both are kept.
  static constexpr std::size_t kIdBytesMax = 256;
  static constexpr std::uint64_t kThrottleMs = 50;

  Session(Shard& shard, SessionOutput& output);
  ~Session() override;

  void on_bytes(std::string_view bytes) override;
  void on_drained() override;
  bool may_be(const UserId& identity) const override;
  void end_slow() override;

  // From the hub.
  void send(const net::Bytes& framed) { output_.send(framed); }
  void deliver(const Mail& mail);  // the broker's
  void seat_moved(std::uint32_t subscription, std::uint32_t index) {
    subscriptions_.put(subscription, {subscriptions_[subscription].group, index});
  }

  void on_outcome(const chat::Outcome& outcome);  // from the store: how a message ended

  // The server goes down: no more input; close code 1001, "restarting; retry-after-ms=<n>" with n
  // within restart_spread, once what was accepted is acknowledged; or `at_once`, if it is not.
  void shut_down(bool at_once);
  bool end_if_banned(std::string_view receipt = {});  // its person or address is: ERROR and the end

 private:
  friend class SessionBroker;
  using WithRoom = std::function<void(Session&, const Result<const chat::Room*>&)>;

  void on_timer() override;
  SessionBusy& busy();
  Transactions& transactions() { return busy().transactions; }
  void rest();  // when nothing of that is left
  std::size_t pending_count() const { return busy_ == nullptr ? 0 : busy_->pending.size(); }
  bool may_take_frames() const;
  void throttle();
  void run_parser(std::string_view bytes);
  void on_frame(const stomp::Frame& frame);
  void on_connect(const stomp::Frame& frame);
  bool authenticate(const stomp::Frame& frame);
  bool authenticate_guest(const stomp::Frame& frame);
  void agree_heart_beats(const stomp::HeartBeat& client);
  void on_send(const stomp::Frame& frame);
  bool is_own_token(std::string_view token) const;
  Result<chat::Draft> check_send(const stomp::Frame& frame);
  void send_to(const Result<const chat::Room*>& room, SendRequest& request);
  void post(SendRequest& request);
  // Hands what one SEND or COMMIT asks for to the store, or refuses it.
  void submit(std::span<chat::Draft> drafts, std::string receipt, std::string_view ids_header);
  void refuse_send(const SendRequest& request, const Error& error);
  void on_transaction(const stomp::Frame& frame);  // BEGIN, COMMIT, ABORT
  void begin(std::string_view id, std::string_view receipt);
  void commit(Transaction& transaction, std::string_view receipt);
  void on_typing(const stomp::Frame& frame);
  void on_subscribe(const stomp::Frame& frame);
  void subscribe(const SubscribeRequest& request);
  bool is_in_order(const SubscribeRequest& request);
  void leave_order(const RoomId& room);
  std::optional<std::uint32_t> free_subscription(const SubscribeRequest& request);
  void start_replay(const SubscribeRequest& request, std::uint32_t subscription);
  void read_on(std::uint32_t number, const std::string* epoch);
  void on_page(std::uint32_t number, const ReplayPage& page);
  void send_marker(const Replay& replay, std::string_view kind, MessageId from, MessageId to);
  Replay* find_replay(std::uint32_t number);
  void abandon_replay(std::uint32_t number);
  void drop_subscription(std::uint32_t subscription);
  void on_unsubscribe(const stomp::Frame& frame);
  void on_disconnect(const stomp::Frame& frame);
  // Looks the room up and calls `then` with whether this identity may enter it, now or after a
  // pause of the input.
  void with_room(RoomId id, WithRoom then);
  Result<const chat::Room*> check_entry(const chat::Room* room) const;
  void resume();
  void acknowledge(std::string receipt);
  void release_receipts();
  void write_receipt(const Pending& pending);
  // The client asked for something it cannot have: a MESSAGE on /user/queue/errors, or, when it
  // does not listen there, ERROR and the end.
  void refuse(const Error& error, std::string_view receipt, stomp::Headers more = {});
  // The client broke the protocol, or may not be here: ERROR and the end.
  void fail(const Error& error, std::string_view receipt, std::uint16_t close_code,
            stomp::Headers more = {});
  void send_frame(std::string_view frame);
  void schedule_timer();
  void end_after_outcomes(std::uint16_t close_code, std::string reason);
  void leave();  // the hub and the count of people
  void end(std::uint16_t close_code, std::string_view reason);

  // An idle session is as small as it can be: servers have many.
  SlotHandle handle_;
  std::uint32_t next_request_ = 1;
  Shard& shard_;
  SessionOutput& output_;
  stomp::Parser parser_;
  chat::SharedIdentity identity_;
  std::uint64_t token_hash_ = 0;
  Seats subscriptions_;
  std::unique_ptr<SessionBusy> busy_;      // null while it has nothing of that
  std::unique_ptr<SessionBroker> broker_;  // null before CONNECTED and while the broker is off
  std::uint32_t in_flight_ = 0;            // own messages given to the store or the readers
  std::uint32_t commit_awaited_ = 0;  // request of a COMMIT over stored and live rooms; 0: none
  chat::TokenBucket frame_rate_;
  SessionTimes times_;
  std::uint16_t closing_code_ = 0;  // not 0: to end so once in_flight_ is 0
  bool connected_ : 1 = false;
  bool ended_ : 1 = false;
  bool waiting_for_room_ : 1 = false;
  bool throttled_ : 1 = false;  // sends frames too fast: its input pauses for kThrottleMs
  bool parsing_ : 1 = false;
  bool rate_exempt_ : 1;
  bool said_typing_ : 1 = false;  // somewhere, some time
};

}  // namespace rtc::server

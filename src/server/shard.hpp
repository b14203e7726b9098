// All that one event loop owns. The loop's thread only, except where it says so.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/config.hpp"
#include "base/slot_map.hpp"
#include "chat/store_queue.hpp"
#include "http/request_parser.hpp"
#include "net/address.hpp"
#include "net/connection.hpp"
#include "net/loop.hpp"
#include "server/hub.hpp"
#include "server/services.hpp"
#include "server/sockjs_sessions.hpp"
#include "stomp/parser.hpp"
#include "websocket/decoder.hpp"
#include "websocket/deflate.hpp"

namespace rtc::server {

class BanList;
class HttpConnection;
class Session;

using NewsBatch = std::shared_ptr<const std::vector<News>>;

class Shard : private net::Timer {
 public:
  // Memory that one turn fills with messages for subscribers before it writes them.
  static constexpr std::size_t kTurnBytesMax = 4 << 20;

  Shard(Services& services, std::uint32_t index);
  ~Shard() override;
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  Services& services() { return services_; }
  const Config& config() const { return services_.config; }
  net::Loop& loop() { return loop_; }
  Hub& hub() { return hub_; }
  ShardFigures& figures() { return figures_; }
  std::uint32_t index() const { return index_; }
  SlotMap<Session>& sessions() { return sessions_; }
  SlotMap<HttpConnection>& waiting_requests() { return waiting_requests_; }
  SockJsSessions& sockjs() { return sockjs_; }
  const websocket::DecoderLimits& websocket_limits() const { return websocket_limits_; }
  websocket::Deflater& deflater() { return deflater_; }
  websocket::Inflater& inflater() { return inflater_; }
  // A fresh decoder, and back when it is between messages: an idle connection needs none.
  std::unique_ptr<websocket::Decoder> lend_decoder(bool inflates);
  void take_decoder_back(std::unique_ptr<websocket::Decoder> decoder) {
    spare_decoder_ = std::move(decoder);
  }
  const stomp::ParserLimits& stomp_limits() const { return stomp_limits_; }

  // A connection just accepted: refused beyond a bound, else taken in as HTTP.
  void accept(int fd, const net::IpAddress& peer);
  // The same at stomp_listen.
  void accept_stomp(int fd, const net::IpAddress& peer);
  // One that comes from another shard, with a request that belongs here.
  void take_over(net::DetachedConnection& detached, bool peer_exempt, http::Request request);
  bool take_request_token(const net::IpAddress& client);
  // Whether that identity may send a message from that address now.
  bool take_send_token(const UserId& user, const net::IpAddress& client);
  bool rate_exempt(const net::IpAddress& client) const;
  // Who is banned from now on; ends sessions of theirs. Before the loop runs, or by loop().post().
  void set_bans(std::shared_ptr<const BanList> bans);
  // What to tell this person (nil: not known yet) there, if that is somebody banned.
  std::optional<Error> ban_of(const UserId& user, const net::IpAddress& client);

  // The room as this loop knows it; null when it must be asked from the store.
  const chat::Room* cached_room(const RoomId& id) const;
  void cache_room(const chat::Room& room);

  // Takes messages (one at least; moved from) as one unit, all or none, and at this turn's end
  // hands them to the store, or to the readers at once if all are live. False when too much waits.
  bool submit(std::span<chat::Draft> drafts, SlotHandle session, std::uint32_t request);

  // The number of sessions on all nodes, for a subscriber of it; all hear of its changes from now
  // on.
  std::uint64_t tell_count();

  // From other threads, by way of loop().post().
  void deliver(const NewsBatch& news) { news_.push_back({news, 0}); }
  void settle(const std::vector<chat::Outcome>& outcomes);
  void collect_mail();      // the broker has some
  void collect_messages();  // the fan-out has some
  // The server goes down: tell every client and close, as Session::shut_down().
  void shut_down(bool at_once);

 private:
  void on_timer() override;                   // presence
  std::uint64_t sessions_everywhere() const;  // on all nodes
  bool admit(const net::IpAddress& peer, bool exempt);
  HttpConnection& take_in(int fd, const net::IpAddress& peer, bool peer_exempt,
                          net::DetachedConnection* detached);
  void end_turn();
  void submit_all();
  void publish_live();
  void deliver_some();
  void deliver(const Mail& mail);

  Services& services_;
  std::uint32_t index_;
  websocket::DecoderLimits websocket_limits_;
  stomp::ParserLimits stomp_limits_;
  ShardFigures figures_;
  websocket::Deflater deflater_;
  websocket::Inflater inflater_;
  std::unique_ptr<websocket::Decoder> spare_decoder_;
  std::shared_ptr<const BanList> bans_;
  Hub hub_;
  SlotMap<Session> sessions_;
  SlotMap<HttpConnection> waiting_requests_;
  SockJsSessions sockjs_;
  std::unordered_map<RoomId, chat::Room> rooms_;
  std::vector<chat::Submission> submissions_;
  std::vector<chat::Draft> live_drafts_;      // for the fan-out, in whole units
  std::vector<chat::ReplyTo> live_replies_;   // one each
  std::vector<chat::Outcome> live_outcomes_;  // of those published in this turn
  struct Incoming {
    chat::Fanout::Published published;
    std::size_t next = 0;
    bool heard = false;  // somebody here got some of it
  };
  std::deque<Incoming> incoming_;  // bounded by Fanout::undelivered
  struct IncomingNews {
    NewsBatch batch;
    std::size_t next;
  };
  std::deque<IncomingNews> news_;  // at most a change a room and presence_interval
  std::deque<Mail> mail_;          // bounded by the broker
  std::uint64_t count_told_ = 0;
  bool told_apart_ = false;  // somebody was told another number since
  net::Loop loop_;           // last: its connections go first, and they use all of the above
};

// Tells the person's sessions on all loops of this node. Any thread.
void deliver_news(Services& services, const chat::UserNews& news);

}  // namespace rtc::server

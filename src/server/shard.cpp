#include "server/shard.hpp"

#include <algorithm>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "server/ban_list.hpp"
#include "server/http_connection.hpp"
#include "server/session.hpp"
#include "server/stomp_connection.hpp"

namespace rtc::server {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kBusy =
    "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n"
    "Content-Length: 0\r\n\r\n";
constexpr std::string_view kStompBusy =
    "ERROR\nmessage:too many connections; try again later\n\n\0"sv;

// Best effort: the client then says why instead of "connection reset".
void refuse(int fd, std::string_view text) {
  [[maybe_unused]] const auto ignored =
      ::send(fd, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::close(fd);
}

}  // namespace

Shard::Shard(Services& services, std::uint32_t index)
    : services_(services),
      index_(index),
      websocket_limits_{services.config.websocket_message_bytes_max,
                        services.config.websocket_fragments_max},
      stomp_limits_{services.config.stomp_headers_max, services.config.stomp_header_bytes_max,
                    services.config.stomp_body_bytes_max},
      bans_(std::make_shared<const BanList>()),
      hub_({services.messages.epoch(), services.fanout.live_epoch()}, deflater_,
           services.config.websocket_deflate_bytes_min),
      loop_(net::make_epoll_poller(), services.config.slow_turn_ms) {
  loop_.set_bounds({services.config.outbox_bytes_max, services.config.outbox_time_max_ms,
                    services.config.close_timeout_ms});
  loop_.add_turn_end([this] { end_turn(); });
  services_.broker.attach(index_, [this] { loop_.post([this] { collect_mail(); }); });
  services_.fanout.attach(index_, [this] { loop_.post([this] { collect_messages(); }); });
}

Shard::~Shard() {
  services_.broker.attach(index_, [] {});  // sessions that go now leave their queues
  cancel();
  sockjs_.clear();
}

void Shard::accept(int fd, const net::IpAddress& peer) {
  const bool exempt = rate_exempt(peer) || net::any_contains(services_.trusted_proxies, peer);
  if (admit(peer, exempt)) {
    take_in(fd, peer, exempt, nullptr);
  } else {
    refuse(fd, kBusy);
  }
}

void Shard::accept_stomp(int fd, const net::IpAddress& peer) {
  // Nothing says whom a proxy speaks for, so it is a client like others.
  const bool exempt = rate_exempt(peer);
  if (!take_request_token(peer) || !admit(peer, exempt)) {
    refuse(fd, kStompBusy);
    return;
  }
  auto handler = std::make_unique<StompConnection>(*this, peer, exempt);
  StompConnection& stomp = *handler;
  auto connection = std::make_unique<net::Connection>(loop_, fd, peer, std::move(handler));
  stomp.attach(*connection);
  loop_.adopt(std::move(connection));
}

bool Shard::admit(const net::IpAddress& peer, bool exempt) {
  return !services_.draining.load(std::memory_order_relaxed) &&
         services_.totals.admit(peer, exempt, config());
}

void Shard::take_over(net::DetachedConnection& detached, bool peer_exempt, http::Request request) {
  HttpConnection& http = take_in(detached.take_fd(), detached.peer(), peer_exempt, &detached);
  http.take_over(std::move(request));
}

HttpConnection& Shard::take_in(int fd, const net::IpAddress& peer, bool peer_exempt,
                               net::DetachedConnection* detached) {
  auto handler = std::make_unique<HttpConnection>(*this, peer, peer_exempt);
  HttpConnection& http = *handler;
  auto connection = std::make_unique<net::Connection>(loop_, fd, peer, std::move(handler));
  http.attach(*connection);
  if (detached != nullptr) connection->take_over(*detached);
  loop_.adopt(std::move(connection));
  return http;
}

std::unique_ptr<websocket::Decoder> Shard::lend_decoder(bool inflates) {
  websocket::Decoder fresh(websocket_limits_, inflates ? &inflater_ : nullptr);
  if (spare_decoder_ == nullptr) return std::make_unique<websocket::Decoder>(std::move(fresh));
  *spare_decoder_ = std::move(fresh);
  return std::move(spare_decoder_);
}

bool Shard::take_request_token(const net::IpAddress& client) {
  if (rate_exempt(client)) return true;
  if (services_.rates.requests.take(rate_key(client), loop_.now_ms())) return true;
  figures_.rate_limited.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool Shard::take_send_token(const UserId& user, const net::IpAddress& client) {
  if (rate_exempt(client)) return true;
  const std::uint64_t now_ms = loop_.now_ms();
  if (services_.rates.sends_of_identity.take(user, now_ms) &&
      services_.rates.sends_of_address.take(rate_key(client), now_ms)) {
    return true;
  }
  figures_.rate_limited.fetch_add(1, std::memory_order_relaxed);
  return false;
}

bool Shard::rate_exempt(const net::IpAddress& client) const {
  return net::any_contains(services_.rate_exempt, client);
}

void Shard::set_bans(std::shared_ptr<const BanList> bans) {
  bans_ = std::move(bans);
  if (bans_->size() == 0) return;
  sessions_.for_each([](Session& session) { session.end_if_banned(); });
}

std::optional<Error> Shard::ban_of(const UserId& user, const net::IpAddress& client) {
  if (bans_->size() == 0) return std::nullopt;
  const chat::Ban* const ban = bans_->find(user, client, unix_ms());
  if (ban == nullptr) return std::nullopt;
  figures_.ban_refusals.fetch_add(1, std::memory_order_relaxed);
  return ban_error(*ban);
}

const chat::Room* Shard::cached_room(const RoomId& id) const {
  const auto found = rooms_.find(id);
  return found == rooms_.end() ? nullptr : &found->second;
}

void Shard::cache_room(const chat::Room& room) {
  // Rooms never change and are cheap to ask for again: a full cache starts anew.
  if (rooms_.size() >= config().room_cache_max) rooms_.clear();
  rooms_.insert_or_assign(room.id, room);
}

bool Shard::submit(std::span<chat::Draft> drafts, SlotHandle session, std::uint32_t request) {
  const chat::Fanout& fanout = services_.fanout;
  const auto here = static_cast<std::int64_t>(live_drafts_.size() * fanout.loops());
  if (fanout.undelivered() + here > config().store_queue_max) return false;
  const bool live = std::all_of(drafts.begin(), drafts.end(),
                                [](const chat::Draft& draft) { return draft.live; });
  if (!live && !services_.store.reserve(drafts.size())) return false;
  figures_.messages_received.fetch_add(drafts.size(), std::memory_order_relaxed);
  const chat::ReplyTo reply{index_, session.slot, session.generation, request};
  for (chat::Draft& draft : drafts) {
    if (live) {
      live_drafts_.push_back(std::move(draft));
      live_replies_.push_back(reply);
    } else {
      submissions_.push_back({std::move(draft), reply, &draft != &drafts.back()});
    }
  }
  return true;
}

// Live ones first: a session's live message must not come behind those of its COMMIT over stored
// and live rooms, which the writing thread publishes.
void Shard::submit_all() {
  publish_live();
  if (!submissions_.empty()) services_.store.submit(submissions_);
}

void Shard::publish_live() {
  if (live_drafts_.empty()) return;
  const std::vector<MessageId> ids = services_.fanout.publish_live(live_drafts_, index_);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    live_outcomes_.push_back({live_replies_[i], ids[i], {}});
  }
  live_drafts_.clear();
  live_replies_.clear();
  collect_messages();
}

void Shard::end_turn() {
  submit_all();
  deliver_some();
  hub_.flush();
  if (!live_outcomes_.empty()) settle(std::exchange(live_outcomes_, {}));
  sockjs_.flush();
  submit_all();  // of requests that waited behind an answer which was given just now
  if (!live_outcomes_.empty()) loop_.post([] {});  // those are delivered and settled next
  figures_.deliveries.store(hub_.deliveries(), std::memory_order_relaxed);
  figures_.presence_bytes.store(hub_.presence_bytes(), std::memory_order_relaxed);
}

// A burst is encoded and written in slices: each turn's memory is bounded, and who reads fast
// enough never has more waiting than a slice.
void Shard::deliver_some() {
  std::size_t delivered = 0;
  while (!incoming_.empty() && hub_.pending_bytes() < kTurnBytesMax) {
    Incoming& first = incoming_.front();
    const auto& [batch, at_us] = first.published;
    const std::uint64_t before = hub_.deliveries();
    hub_.deliver(batch, first.next++);
    first.heard = first.heard || hub_.deliveries() != before;
    ++delivered;
    if (first.next < batch->size()) continue;
    if (first.heard) loop_.note_lag(at_us);
    incoming_.pop_front();
  }
  services_.fanout.delivered(delivered);
  while (!news_.empty() && hub_.pending_bytes() < kTurnBytesMax) {
    IncomingNews& first = news_.front();
    hub_.deliver((*first.batch)[first.next++]);
    if (first.next == first.batch->size()) news_.pop_front();
  }
  for (; !mail_.empty() && hub_.pending_bytes() < kTurnBytesMax; mail_.pop_front()) {
    deliver(mail_.front());
  }
  if (!incoming_.empty() || !news_.empty() || !mail_.empty())
    loop_.post([] {});  // the next turn follows at once
}

void Shard::collect_messages() {
  for (chat::Fanout::Published& published : services_.fanout.collect(index_)) {
    incoming_.push_back({std::move(published)});
  }
}

void Shard::collect_mail() {
  for (Mail& mail : services_.broker.collect(index_)) mail_.push_back(std::move(mail));
}

void Shard::deliver(const Mail& mail) {
  if (mail.message->kind == Destination::Kind::topic) {
    hub_.deliver(*mail.message);
  } else if (Session* const session = sessions_.find(mail.session)) {
    session->deliver(mail);
  }
}

void Shard::settle(const std::vector<chat::Outcome>& outcomes) {
  for (const chat::Outcome& outcome : outcomes) {
    if (outcome.reply.loop != index_) continue;
    Session* const session = sessions_.find({outcome.reply.slot, outcome.reply.generation});
    if (session != nullptr) session->on_outcome(outcome);
  }
}

std::uint64_t Shard::sessions_everywhere() const {
  const std::uint64_t here = services_.totals.sessions.load(std::memory_order_relaxed);
  const chat::SharedPresence* const others = services_.people_of_nodes;
  return others == nullptr ? here : here + others->sessions_elsewhere();
}

std::uint64_t Shard::tell_count() {
  const std::uint64_t count = sessions_everywhere();
  // Whoever is told another number than the rest must hear the next one, also if that is the old.
  if (count != count_told_) told_apart_ = true;
  if (!armed()) loop_.timers().arm(*this, config().presence_interval_ms);
  return count;
}

void Shard::on_timer() {
  if (!hub_.has_entry_subscribers()) return;  // the next subscriber starts it again
  const std::uint64_t count = sessions_everywhere();
  if (count != count_told_ || std::exchange(told_apart_, false)) {
    count_told_ = count;
    hub_.deliver_count(count);
  }
  loop_.timers().arm(*this, config().presence_interval_ms);
}

void Shard::shut_down(bool at_once) {
  sessions_.for_each([at_once](Session& session) { session.shut_down(at_once); });
  waiting_requests_.for_each([](HttpConnection& connection) { connection.shut_down(); });
}

void deliver_news(Services& services, const chat::UserNews& news) {
  const auto batch = std::make_shared<const std::vector<News>>(
      1, News{Destination::Kind::rooms, RoomId{news.whom.value}, news.body});
  for (Shard* const shard : services.shards) {
    shard->loop().post([shard, batch] { shard->deliver(batch); });
  }
}

}  // namespace rtc::server

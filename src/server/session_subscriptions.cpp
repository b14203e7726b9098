// SUBSCRIBE and UNSUBSCRIBE, and telling a subscriber what he missed (`since`).
#include <algorithm>
#include <array>
#include <charconv>

#include "server/envelope.hpp"
#include "server/session.hpp"
#include "server/shard.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

// Messages of one read; a page waits until the one before it has left.
constexpr std::uint32_t kReplayPage = 100;

// Cuts the page to so many bytes of text, one message at least. True when something was cut.
bool cut_to_bytes(std::vector<chat::Message>& messages, std::size_t bytes_max) {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    bytes += messages[i].text.size();
    if (i == 0 || bytes <= bytes_max) continue;
    messages.resize(i);
    return true;
  }
  return false;
}

std::optional<AckMode> parse_ack_mode(std::string_view text) {
  if (text == "auto") return AckMode::automatic;
  if (text == "client") return AckMode::client;
  if (text == "client-individual") return AckMode::client_individual;
  return std::nullopt;
}

// Of a room without history nothing is left to read: what was missed is a gap.
ReplayPage page_of_live(const chat::Fanout& fanout, const SubscribeRequest& request) {
  ReplayPage page;
  page.newest = fanout.newest(request.destination.room);
  const bool another = !request.epoch.empty() && request.epoch != fanout.live_epoch();
  page.epoch_changed = another || *request.since > page.newest;
  page.too_many = !page.epoch_changed && page.newest > *request.since;
  return page;
}

}  // namespace

void Session::on_subscribe(const stomp::Frame& frame) {
  SubscribeRequest request;
  request.receipt = frame.get("receipt");
  const auto text = frame.find("destination");
  const auto id = frame.find("id");
  const bool needs_id = parser_.version() != stomp::Version::v1_0;
  if (!text || (needs_id && (!id || id->empty()))) {
    fail({ErrorCode::invalid_message_format, "SUBSCRIBE needs the headers id and destination"},
         request.receipt, websocket::kCloseProtocolError);
    return;
  }
  request.variant = {std::string(id.value_or("")), parser_.version(), output_.framing(),
                     output_.deflate()};
  if (request.variant.subscription_id.size() > kIdBytesMax) {
    fail({ErrorCode::invalid_message_format, "id: longer than 256 bytes"}, request.receipt,
         websocket::kClosePolicyViolation);
    return;
  }
  auto destination = parse_destination(*text);
  if (!destination && broker_ != nullptr) {
    destination = parse_broker_destination(*text, shard_.config().broker_destination_bytes_max);
  }
  const bool of_broker = destination && destination->kind >= Destination::Kind::topic;
  const auto mode = parse_ack_mode(frame.find("ack").value_or("auto"));
  if (!mode || (*mode != AckMode::automatic && !of_broker)) {
    refuse({ErrorCode::invalid_parameter, "ack: only auto is offered here"}, request.receipt);
    return;
  }
  request.ack = *mode;
  if (!destination) {
    refuse({ErrorCode::forbidden_action, "there is no such destination to subscribe to"},
           request.receipt);
    return;
  }
  request.destination = *destination;
  using Kind = Destination::Kind;
  if (of_broker) {
    // Only a topic's message is encoded once for many.
    const bool fans_out = destination->kind == Kind::topic || destination->kind == Kind::pattern;
    if (!fans_out) request.variant.deflate = websocket::Deflate::off;
    request.variant.acks = *mode != AckMode::automatic;
    subscribe(request);
    return;
  }
  if (destination->kind == Kind::rooms) request.destination.room = RoomId{identity_.id().value};
  if (destination->kind == Kind::entry || destination->kind == Kind::errors ||
      destination->kind == Kind::rooms) {
    subscribe(request);
    return;
  }
  if (const auto since = frame.find("since"); since && destination->kind == Kind::room) {
    MessageId last = 0;
    const auto [end, problem] = std::from_chars(since->data(), since->data() + since->size(), last);
    if (problem != std::errc{} || end != since->data() + since->size()) {
      refuse({ErrorCode::invalid_parameter, "since: expected the id of a message"},
             request.receipt);
      return;
    }
    request.since = last;
    request.epoch = frame.get("epoch");
  }
  with_room(destination->room, [request = std::move(request)](
                                   Session& self, const Result<const chat::Room*>& found) mutable {
    if (found) {
      request.live = !(*found)->history;
      self.subscribe(request);
    } else {
      self.refuse(found.error(), request.receipt);
    }
  });
}

std::optional<std::uint32_t> Session::free_subscription(const SubscribeRequest& request) {
  std::uint32_t free = subscriptions_.size();
  std::size_t taken = 0;
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    const Hub::Seat seat = subscriptions_[i];
    if (seat.group == nullptr) {
      free = std::min(free, i);
      continue;
    }
    ++taken;
    const std::string& id = request.variant.subscription_id;
    if (!id.empty() && seat.group->variant().subscription_id == id) {
      refuse({ErrorCode::invalid_parameter, "id: this session has a subscription of that id"},
             request.receipt);
      return std::nullopt;
    }
  }
  if (taken >= shard_.config().subscriptions_per_session_max) {
    refuse({ErrorCode::forbidden_action, "this session has too many subscriptions"},
           request.receipt);
    return std::nullopt;
  }
  if (free == subscriptions_.size()) subscriptions_.add();
  return free;
}

void Session::subscribe(const SubscribeRequest& request) {
  const auto free = free_subscription(request);
  if (!free || !is_in_order(request)) return;
  if (request.destination.kind >= Destination::Kind::topic) {
    if (const auto taken = broker_->take_part(request, *free); !taken) {
      refuse(taken.error(), request.receipt);
      return;
    }
  }
  Hub& hub = shard_.hub();
  chat::Presence& presence = shard_.services().presence;
  using Kind = Destination::Kind;
  if (request.destination.kind == Kind::room) presence.enter(request.destination.room, identity_);
  if (request.since) {
    subscriptions_.put(*free, hub.hold(request.destination, request.variant, *this, *free));
    acknowledge(request.receipt);
    start_replay(request, *free);
    return;
  }
  const Hub::Seat seat = hub.join(request.destination, request.variant, *this, *free);
  subscriptions_.put(*free, seat);
  acknowledge(request.receipt);
  if (request.destination.kind == Kind::entry) {
    const auto count = shard_.tell_count();
    const std::string message_id = "entry-now-" + std::to_string(next_request_++);
    output_.send(Hub::encode(*seat.group, message_id, "text/plain", {}, std::to_string(count)));
  }
  if (request.destination.kind == Kind::presence) {
    const auto now = presence.watch(request.destination.room);
    const std::string message_id = "presence-now-" + std::to_string(next_request_++);
    output_.send(Hub::encode(*seat.group, message_id, "application/json", {}, presence_json(now)));
  }
}

void Session::on_unsubscribe(const stomp::Frame& frame) {
  const std::string_view id = frame.get("id");  // an empty one names none, as in SUBSCRIBE
  const auto destination = frame.find("destination");
  const bool by_destination =
      id.empty() && parser_.version() == stomp::Version::v1_0 && destination;
  if (id.empty() && !by_destination) {
    fail({ErrorCode::invalid_message_format, "UNSUBSCRIBE needs the header id"},
         frame.get("receipt"), websocket::kCloseProtocolError);
    return;
  }
  const std::uint32_t found = subscriptions_.find([&](const Hub::Seat& seat) {
    return by_destination ? seat.group->topic().destination() == *destination
                          : seat.group->variant().subscription_id == id;
  });
  if (found == subscriptions_.size()) {
    refuse({ErrorCode::invalid_parameter, "id: this session has no subscription of that id"},
           frame.get("receipt"));
    return;
  }
  drop_subscription(found);
  acknowledge(std::string(frame.get("receipt")));
}

void Session::drop_subscription(std::uint32_t subscription) {
  const Hub::Seat seat = subscriptions_[subscription];
  subscriptions_.put(subscription, {});
  const Destination destination = seat.group->topic().key();
  shard_.hub().leave(seat, *this, subscription);
  chat::Presence& presence = shard_.services().presence;
  using Kind = Destination::Kind;
  if (destination.kind == Kind::room) {
    presence.leave(destination.room, identity_.id());
    leave_order(destination.room);
  }
  if (destination.kind == Kind::presence) presence.unwatch(destination.room);
  if (destination.kind == Kind::queue) broker_->leave(subscription);
  if (busy_ == nullptr) return;
  std::erase_if(busy_->replays,
                [&](const Replay& each) { return each.subscription == subscription; });
  rest();
}

// --- what was missed

void Session::start_replay(const SubscribeRequest& request, std::uint32_t subscription) {
  std::vector<Replay>& replays = busy().replays;
  replays.push_back({next_request_++, subscription, request.destination.room, request.live,
                     *request.since, false});
  const std::uint32_t number = replays.back().number;
  if (request.live) {
    on_page(number, page_of_live(shard_.services().fanout, request));
  } else {
    read_on(number, &request.epoch);
  }
}

Replay* Session::find_replay(std::uint32_t number) {
  if (busy_ == nullptr) return nullptr;
  std::vector<Replay>& replays = busy_->replays;
  const auto found = std::find_if(replays.begin(), replays.end(),
                                  [&](const Replay& each) { return each.number == number; });
  return found == replays.end() ? nullptr : &*found;
}

// Reads the next page; `epoch` is given with the first: what the client believes the store's to be.
void Session::read_on(std::uint32_t number, const std::string* epoch) {
  const Replay& replay = *find_replay(number);
  Shard* const shard = &shard_;
  const bool first = epoch != nullptr;
  const bool taken = shard_.services().store.read([shard, handle = handle_, number, first,
                                                   room = replay.room, last = replay.last,
                                                   known_epoch = first ? *epoch : std::string()] {
    chat::MessageStore& store = shard->services().messages;
    ReplayPage page;
    Result<std::vector<chat::Message>> messages = std::vector<chat::Message>{};
    if (first) {
      page.epoch_changed = !known_epoch.empty() && known_epoch != store.epoch();
      messages = store.page_before(room, 0, 1);
      if (messages) page.newest = messages->empty() ? 0 : messages->front().id;
      const std::uint64_t replay_max = shard->config().history_replay_max;
      page.epoch_changed = page.epoch_changed || (messages && last > page.newest);
      page.too_many = !page.epoch_changed && page.newest > last + replay_max;
    }
    if (messages && !page.epoch_changed && !page.too_many) {
      messages = store.page_after(room, last, kReplayPage);
      if (messages) {
        page.more = messages->size() == kReplayPage;
        page.more = cut_to_bytes(*messages, replay_bytes_max(shard->config().outbox_bytes_max)) ||
                    page.more;
        page.messages = std::move(*messages);
      }
    }
    page.failed = !messages;
    if (page.failed) {
      shard->services().store.health().call_failed("the history could not be read",
                                                   messages.error());
    }
    shard->loop().post([shard, handle, number, page = std::move(page)] {
      if (Session* const session = shard->sessions().find(handle)) {
        session->on_page(number, page);
      }
    });
  });
  if (!taken) abandon_replay(number);
}

// No frame is being answered, so what ended is named otherwise than by a receipt.
void Session::abandon_replay(std::uint32_t number) {
  const std::uint32_t subscription = find_replay(number)->subscription;
  const Group& group = *subscriptions_[subscription].group;
  const std::string id = group.variant().subscription_id;
  const std::string destination = group.topic().destination();
  drop_subscription(subscription);
  const std::array ended{stomp::Header{"ended-destination", destination},
                         stomp::Header{"ended-subscription", id}};
  refuse(history_not_readable(), "", std::span(ended).first(id.empty() ? 1 : 2));
}

void Session::on_page(std::uint32_t number, const ReplayPage& page) {
  Replay* const replay = find_replay(number);
  if (ended_ || replay == nullptr) return;
  if (page.failed) {
    abandon_replay(number);
    return;
  }
  const Hub::Seat seat = subscriptions_[replay->subscription];
  if (page.epoch_changed) {
    send_marker(*replay, "EPOCH_CHANGED", 1, page.newest);
  } else if (page.too_many) {
    send_marker(*replay, "HISTORY_GAP", replay->last + 1, page.newest);
  }
  if (page.epoch_changed || page.too_many) replay->last = page.newest;
  const std::size_t bytes_max = replay_bytes_max(shard_.config().outbox_bytes_max);
  std::size_t bytes = 0;
  bool more = page.more;
  for (const chat::Message& message : page.messages) {
    // As JSON a text may be many times as long.
    more = more || bytes >= bytes_max;
    if (bytes >= bytes_max) break;
    const std::string framed = shard_.hub().encode(*seat.group, message);
    bytes += framed.size();
    output_.send(framed);
    replay->last = message.id;
  }
  shard_.figures().replay_pages.fetch_add(1, std::memory_order_relaxed);
  if (!more && shard_.hub().catch_up(seat, *this, replay->subscription, replay->last, bytes_max)) {
    std::erase_if(busy_->replays, [&](const Replay& each) { return each.number == number; });
    rest();
    return;
  }
  if (output_.queued_bytes() > 0) {
    replay->waits_for_drain = true;  // the next page when this one has left
  } else {
    read_on(number, nullptr);
  }
}

void Session::on_drained() {
  if (broker_ != nullptr) broker_->on_drained();
  // A replay that fails is gone.
  for (std::size_t i = 0; busy_ != nullptr && i < busy_->replays.size(); ++i) {
    Replay& replay = busy_->replays[i];
    if (std::exchange(replay.waits_for_drain, false)) read_on(replay.number, nullptr);
  }
}

void Session::send_marker(const Replay& replay, std::string_view kind, MessageId from,
                          MessageId to) {
  const Hub::Seat seat = subscriptions_[replay.subscription];
  const Hub::Epochs& epochs = shard_.hub().epochs();
  const std::string message_id = "marker-" + std::to_string(next_request_++);
  const std::array headers{stomp::Header{"marker", kind},
                           stomp::Header{"epoch", replay.live ? epochs.live : epochs.stored}};
  output_.send(Hub::encode(*seat.group, message_id, "application/json", headers,
                           fmt::format(R"({{"type":"{}","from":{},"to":{}}})", kind, from, to)));
}

}  // namespace rtc::server

// The session's life: its input, CONNECT, receipts, errors and end. SEND is in
// session_requests.cpp, BEGIN to COMMIT in session_transactions.cpp, SUBSCRIBE in
// session_subscriptions.cpp, heart-beats and what else takes time in session_timing.cpp.
#include "server/session.hpp"

#include <algorithm>
#include <array>

#include "base/log.hpp"
#include "base/random.hpp"
#include "server/bearer.hpp"
#include "server/envelope.hpp"
#include "server/shard.hpp"
#include "stomp/writer.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {
namespace {

constexpr std::string_view kVersions = "1.0,1.1,1.2";
constexpr std::string_view kServerName = "RealTimeChat";

Error token_error(chat::TokenCheck::Verdict verdict) {
  if (verdict == chat::TokenCheck::Verdict::expired) {
    return {ErrorCode::expired_token, "the token has expired; GET /init with it renews it"};
  }
  return {ErrorCode::invalid_token, "the token is not valid; GET /init gives a new one"};
}

}  // namespace

Session::Session(Shard& shard, SessionOutput& output)
    : handle_(shard.sessions().add(*this)),
      shard_(shard),
      output_(output),
      rate_exempt_(shard.rate_exempt(output.client())) {
  shard_.loop().timers().arm(*this, shard_.config().connect_timeout_ms);
}

Session::~Session() {
  leave();
  shard_.sessions().remove(handle_);
}

void Session::leave() {
  for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
    if (subscriptions_[i].group != nullptr) drop_subscription(i);
  }
  if (busy_ != nullptr) {
    const std::size_t open = std::exchange(busy_->transactions, {}).count();
    shard_.figures().transactions_open.fetch_sub(open, std::memory_order_relaxed);
  }
  if (!connected_) return;
  connected_ = false;
  shard_.services().totals.sessions.fetch_sub(1, std::memory_order_relaxed);
}

SessionBusy& Session::busy() {
  if (busy_ == nullptr) busy_ = std::make_unique<SessionBusy>();
  return *busy_;
}

void Session::rest() {
  if (busy_ != nullptr && busy_->empty()) busy_.reset();
}

void Session::on_bytes(std::string_view bytes) {
  if (ended_) return;
  if (parsing_ || !may_take_frames() || (busy_ != nullptr && !busy_->backlog.empty())) {
    busy().backlog += bytes;  // the transport had these in hand when the input paused
    return;
  }
  run_parser(bytes);
}

bool Session::may_take_frames() const {
  const std::size_t sends_max = shard_.config().sends_in_flight_max;
  return !ended_ && !waiting_for_room_ && commit_awaited_ == 0 && !throttled_ &&
         closing_code_ == 0 && in_flight_ < sends_max && pending_count() < 2 * sends_max;
}

void Session::run_parser(std::string_view bytes) {
  parsing_ = true;
  while (may_take_frames()) {
    const stomp::Event event = parser_.next(bytes, shard_.stomp_limits());
    if (event.kind == stomp::Event::Kind::need_more) break;
    if (event.kind == stomp::Event::Kind::frame) on_frame(event.frame);
    if (event.kind == stomp::Event::Kind::error) {
      fail({event.too_large ? ErrorCode::payload_too_large : ErrorCode::invalid_message_format,
            std::string(event.reason)},
           event.frame.get("receipt"),
           event.too_large ? websocket::kCloseMessageTooBig : websocket::kCloseProtocolError);
    }
    if (!ended_) throttle();
  }
  parsing_ = false;
  if (ended_) {
    if (busy_ != nullptr) busy_->backlog.clear();
    return;
  }
  if (!may_take_frames()) {
    output_.pause_input();
    if (!bytes.empty()) busy().backlog.insert(0, bytes);
  }
}

void Session::resume() {
  if (parsing_ || !may_take_frames()) return;
  if (busy_ != nullptr && !busy_->backlog.empty()) {
    const std::string bytes = std::exchange(busy_->backlog, {});
    rest();
    run_parser(bytes);
  }
  if (may_take_frames()) output_.resume_input();
}

void Session::on_frame(const stomp::Frame& frame) {
  using stomp::Command;
  const std::string_view receipt = frame.get("receipt");
  if (receipt.size() > kIdBytesMax) {
    fail({ErrorCode::invalid_message_format, "receipt: longer than 256 bytes"}, "",
         websocket::kClosePolicyViolation);
    return;
  }
  const bool connects = frame.command == Command::connect || frame.command == Command::stomp;
  if (connects == connected_) {
    fail(connects ? Error{ErrorCode::forbidden_action, "this session is connected already"}
                  : Error{ErrorCode::unauthorized_access, "the first frame must be CONNECT"},
         receipt, websocket::kClosePolicyViolation);
    return;
  }
  switch (frame.command) {
    case Command::connect:
    case Command::stomp:
      on_connect(frame);
      return;
    case Command::send:
      on_send(frame);
      return;
    case Command::subscribe:
      on_subscribe(frame);
      return;
    case Command::unsubscribe:
      on_unsubscribe(frame);
      return;
    case Command::disconnect:
      on_disconnect(frame);
      return;
    case Command::ack:
    case Command::nack:
      if (frame.command == Command::nack && parser_.version() == stomp::Version::v1_0) {
        fail({ErrorCode::invalid_message_format, "STOMP 1.0 has no NACK"}, receipt,
             websocket::kCloseProtocolError);
        return;
      }
      if (broker_ != nullptr) return broker_->on_acknowledge(frame);
      refuse({ErrorCode::forbidden_action, "no subscription here waits for ACK or NACK"}, receipt);
      return;
    case Command::begin:
    case Command::commit:
    case Command::abort:
      on_transaction(frame);
      return;
    case Command::connected:
    case Command::message:
    case Command::receipt:
    case Command::error:
      fail({ErrorCode::invalid_message_format, "only a server sends this command"}, receipt,
           websocket::kCloseProtocolError);
      return;
  }
}

void Session::on_connect(const stomp::Frame& frame) {
  const std::string_view receipt = frame.get("receipt");
  const auto version = stomp::negotiate(frame.get("accept-version"));
  if (!version) {
    fail({ErrorCode::invalid_parameter,
          "accept-version: none in common; this server speaks " + std::string(kVersions)},
         receipt, websocket::kClosePolicyViolation);
    return;
  }
  parser_.set_version(*version);
  stomp::HeartBeat client;
  if (const auto value = frame.find("heart-beat")) {
    const auto parsed = stomp::parse_heart_beat(*value);
    if (!parsed) {
      fail({ErrorCode::invalid_parameter, "heart-beat: expected two numbers, such as 10000,10000"},
           receipt, websocket::kClosePolicyViolation);
      return;
    }
    client = *parsed;
  }
  if (!authenticate(frame) || end_if_banned(receipt)) return;

  connected_ = true;
  shard_.services().totals.sessions.fetch_add(1, std::memory_order_relaxed);
  agree_heart_beats(client);
  std::string session = fmt::format("{}-{}-{}", shard_.index(), handle_.slot, handle_.generation);
  if (shard_.services().broker.open()) {
    broker_ = std::make_unique<SessionBroker>(*this);
    session = broker_->id();
  }
  const auto offered = shard_.config().heart_beat_interval_ms;
  std::string answer;
  stomp::Writer(answer, stomp::Command::connected, *version)
      .header("version", stomp::to_string(*version))
      .header("heart-beat", fmt::format("{},{}", offered, offered))
      .header("server", kServerName)
      .header("session", session)
      .header("user-name", identity_.id().to_string())
      .header("message-bytes-max", fmt::format("{}", shard_.config().message_bytes_max))
      .end();
  send_frame(answer);
}

bool Session::authenticate(const stomp::Frame& frame) {
  const std::string_view receipt = frame.get("receipt");
  std::string_view token = bearer_token(frame.get("Authorization"));
  if (token.empty() && shard_.config().conformance && frame.find("login")) {
    return authenticate_guest(frame);
  }
  // Plain STOMP clients can often set nothing but login and passcode.
  if (token.empty()) token = bearer_token(frame.get("passcode"));
  if (token.empty()) {
    fail({ErrorCode::no_token, "CONNECT needs the header Authorization: Bearer <token>"}, receipt,
         websocket::kClosePolicyViolation);
    return false;
  }
  const auto check = shard_.services().tokens.check(token, std::time(nullptr));
  if (check.verdict != chat::TokenCheck::Verdict::valid) {
    fail(token_error(check.verdict), receipt, websocket::kClosePolicyViolation);
    return false;
  }
  identity_ = chat::SharedIdentity(check.identity);
  token_hash_ = std::hash<std::string_view>{}(token);
  return true;
}

// Of the conformance profile: public test suites bring no token.
bool Session::authenticate_guest(const stomp::Frame& frame) {
  if (frame.get("login") != "guest" || frame.get("passcode") != "guest") {
    fail({ErrorCode::unauthorized_access, "login and passcode are not guest and guest"},
         frame.get("receipt"), websocket::kClosePolicyViolation);
    return false;
  }
  identity_ = chat::SharedIdentity(
      shard_.services().new_identity("", chat::mask_address(output_.client().to_string())));
  return true;
}

bool Session::may_be(const UserId& identity) const {
  return !identity_.known() || identity_.id() == identity;
}

void Session::on_disconnect(const stomp::Frame& frame) {
  acknowledge(std::string(frame.get("receipt")));
  end_after_outcomes(websocket::kCloseNormal, "");
}

void Session::end_after_outcomes(std::uint16_t close_code, std::string reason) {
  if (in_flight_ == 0) {
    end(close_code, reason);
  } else if (closing_code_ == 0) {
    closing_code_ = close_code;
    busy().closing_reason = std::move(reason);
    output_.pause_input();
  }
}

void Session::on_outcome(const chat::Outcome& outcome) {
  --in_flight_;
  std::vector<Pending>& pending = busy_->pending;
  const auto found = std::find_if(pending.begin(), pending.end(), [&](const Pending& each) {
    return each.request == outcome.reply.request && each.awaited > 0;
  });
  --found->awaited;
  if (found->awaited == 0 && found->request == commit_awaited_) commit_awaited_ = 0;
  if (outcome.stored()) {
    if (!found->ids.empty()) found->ids += ',';
    if (!found->receipt.empty()) found->ids += std::to_string(outcome.id);
  } else if (found->awaited == 0) {
    // Of a transaction none is stored: the last one speaks for all.
    const std::string receipt = std::move(found->receipt);
    pending.erase(found);
    refuse(outcome.error, receipt);
  }
  release_receipts();
  if (closing_code_ != 0) {
    if (in_flight_ == 0) end(closing_code_, std::string(busy().closing_reason));
  } else if (in_flight_ <= shard_.config().sends_in_flight_max / 2) {
    resume();
  }
}

void Session::acknowledge(std::string receipt) {
  if (receipt.empty()) return;
  Pending pending{0, 0, std::move(receipt), "", {}};
  if (pending_count() == 0) {
    write_receipt(pending);
  } else {
    busy_->pending.push_back(std::move(pending));
  }
}

void Session::release_receipts() {
  while (pending_count() > 0 && busy_->pending.front().awaited == 0) {
    const Pending& first = busy_->pending.front();
    if (!first.receipt.empty()) write_receipt(first);
    busy_->pending.erase(busy_->pending.begin());  // of few
  }
  rest();
}

void Session::write_receipt(const Pending& pending) {
  std::string frame;
  stomp::Writer writer(frame, stomp::Command::receipt, parser_.version());
  writer.header("receipt-id", pending.receipt);
  if (!pending.ids.empty()) writer.header(pending.ids_header, pending.ids);
  writer.end();
  send_frame(frame);
}

void Session::refuse(const Error& error, std::string_view receipt, stomp::Headers more) {
  if (ended_) return;
  const std::uint32_t listens = subscriptions_.find([](const Hub::Seat& seat) {
    return seat.group->topic().destination() == kErrorsDestination;
  });
  if (listens == subscriptions_.size()) {
    fail(error, receipt, websocket::kClosePolicyViolation, more);
    return;
  }
  shard_.figures().refusals.fetch_add(1, std::memory_order_relaxed);
  const std::string message_id = "error-" + std::to_string(next_request_++);
  std::vector<stomp::Header> headers(more.begin(), more.end());
  if (!receipt.empty()) headers.push_back({"receipt-id", receipt});
  output_.send(Hub::encode(*subscriptions_[listens].group, message_id, "application/json", headers,
                           error_envelope(error)));
}

void Session::fail(const Error& error, std::string_view receipt, std::uint16_t close_code,
                   stomp::Headers more) {
  if (ended_) return;
  shard_.figures().refusals.fetch_add(1, std::memory_order_relaxed);
  std::string frame;
  stomp::Writer writer(frame, stomp::Command::error, parser_.version());
  writer.header("message", error.message);
  if (!connected_) writer.header("version", kVersions);
  if (!receipt.empty()) writer.header("receipt-id", receipt);
  for (const auto& [name, value] : more) writer.header(name, value);
  writer.header("content-type", "application/json").end(error_envelope(error));
  send_frame(frame);
  end(close_code, error_name(error.code));
}

void Session::send_frame(std::string_view frame) {
  std::string framed;
  append_framed(framed, output_.framing(), frame);
  output_.send(framed);
}

void Session::deliver(const Mail& mail) {
  if (broker_ != nullptr && !ended_) broker_->deliver(mail);
}

void Session::end_slow() {
  fail({ErrorCode::server_overload,
        "you read too slowly: too much waited for you, or for too long; connect again and resume"},
       "", websocket::kClosePolicyViolation);
}

void Session::shut_down(bool at_once) {
  // So that not everybody comes back in the same instant.
  const auto spread = static_cast<std::uint32_t>(shard_.config().restart_spread_ms);
  std::string reason = fmt::format("restarting; retry-after-ms={}", random_below(spread + 1));
  if (at_once) {
    end(websocket::kCloseGoingAway, reason);
  } else {
    end_after_outcomes(websocket::kCloseGoingAway, std::move(reason));
  }
}

bool Session::end_if_banned(std::string_view receipt) {
  const auto banned = ended_ ? std::nullopt : shard_.ban_of(identity_.id(), output_.client());
  if (banned) fail(*banned, receipt, websocket::kClosePolicyViolation);
  return banned.has_value();
}

void Session::end(std::uint16_t close_code, std::string_view reason) {
  if (ended_) return;
  ended_ = true;
  cancel();
  leave();
  output_.close(close_code, reason);
}

}  // namespace rtc::server

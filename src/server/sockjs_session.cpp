#include "server/sockjs_session.hpp"

#include <utility>

#include "server/shard.hpp"

namespace rtc::server {
namespace {

constexpr std::uint16_t kInterrupted = 1002;
constexpr std::uint16_t kAnotherOpen = 2010;
constexpr std::uint16_t kGoAway = 3000;

std::string close_frame(std::uint16_t code, std::string_view reason) {
  std::string frame;
  sockjs::append_close_frame(frame, code, reason);
  return frame;
}

}  // namespace

SockJsSession::SockJsSession(Shard& shard, const SockJsService& service, std::string key,
                             const net::IpAddress& client)
    : shard_(shard),
      key_(std::move(key)),
      client_(client),
      application_(make_application(service.carries, shard, *this)),
      last_read_ms_(shard.loop().now_ms()),
      last_write_ms_(shard.loop().now_ms()) {
  arm();
}

SockJsSession::~SockJsSession() {
  shard_.services().totals.release_sockjs(client_, shard_.rate_exempt(client_));
}

// --- out
// ------------------------------------------------------------------------------------------

void SockJsSession::receive(SockJsAnswer answer) {
  last_read_ms_ = shard_.loop().now_ms();
  if (receiver_) {
    answer.begin(nullptr);
    answer.write(close_frame(kAnotherOpen, "Another connection still open"));
    answer.end();
    return;
  }
  receiver_.emplace(std::move(answer)).begin(this);
  arm();
  if (!std::exchange(opened_, true)) {
    write(sockjs::kOpenFrame);
    application_->on_open();
  }
  need_flush();
  if (receiver_) receiver_->listen();
}

void SockJsSession::need_flush() {
  if (!std::exchange(dirty_, true)) shard_.sockjs().need_flush(*this);
}

void SockJsSession::flush() {
  if (interrupted_) application_.reset();
  if (!paused_) answer_sender();
  if (!receiver_ || !receiver_->ready()) {
    if (waiting_bytes_ > shard_.config().outbox_bytes_max) end_slow();
    return;
  }
  if (waiting_bytes_ > 0) write_waiting();
  if (receiver_ && !close_frame_.empty()) {
    write(close_frame_);
    finish();
  } else if (receiver_ && ping_due_) {
    // A request that ends is followed by the next one: the sign of life that is asked for.
    write(sockjs::kHeartBeatFrame);
    finish();
  }
  ping_due_ = false;
}

void SockJsSession::answer_sender() {
  if (!sender_) return;
  HttpConnection* const sender = shard_.waiting_requests().find(*std::exchange(sender_, {}));
  if (sender != nullptr) sender->respond(std::move(accepted_));
}

void SockJsSession::write_waiting() {
  std::string frame = "a[";
  frame.reserve(frame.size() + waiting_bytes_);
  for (const net::Bytes& elements : waiting_) frame += elements.view();
  frame.back() = ']';  // the last element's comma
  waiting_.clear();
  waiting_bytes_ = 0;
  write(frame);
  if (application_ != nullptr) application_->on_drained();
}

void SockJsSession::end_slow() {
  waiting_.clear();
  waiting_bytes_ = 0;
  shard_.figures().slow_consumers.fetch_add(1, std::memory_order_relaxed);
  application_->end_slow();
}

// The receiver is forgotten before the end of its answer: that may begin the next request of its
// connection, which may be for this session.
void SockJsSession::write(std::string_view frame) {
  last_write_ms_ = shard_.loop().now_ms();
  if (receiver_->one_frame()) {
    SockJsAnswer answer = std::move(*receiver_);
    receiver_.reset();
    arm();
    answer.write(frame);
    return;
  }
  receiver_->write(frame);
  arm();
  if (receiver_->full()) finish();
}

void SockJsSession::finish() {
  if (!receiver_) return;
  SockJsAnswer answer = std::move(*receiver_);
  receiver_.reset();
  arm();
  answer.end();
}

void SockJsSession::arm() {
  const Config& config = shard_.config();
  shard_.loop().timers().arm(
      *this, receiver_ ? config.sockjs_heart_beat_interval_ms : config.sockjs_disconnect_delay_ms);
}

void SockJsSession::on_timer() {
  if (!receiver_) {
    shard_.sockjs().erase(*this);
  } else if (receiver_->ready()) {
    write(sockjs::kHeartBeatFrame);
  } else {
    arm();
  }
}

void SockJsSession::on_response_drained() {
  if (waiting_bytes_ == 0 && close_frame_.empty()) return;
  need_flush();
  shard_.loop().post([] {});  // the turn may be past its flush: the next one follows at once
}

// What was in that answer may be lost: the session ends, and its client begins another one.
void SockJsSession::on_response_gone() {
  receiver_.reset();
  arm();
  if (close_frame_.empty()) close_frame_ = close_frame(kInterrupted, "Connection interrupted");
  waiting_.clear();
  waiting_bytes_ = 0;
  interrupted_ = true;
  paused_ = false;
  need_flush();
}

// --- SessionOutput
// --------------------------------------------------------------------------------

// How much waits is judged by flush(): a burst that the client's socket takes costs nobody
// anything.
void SockJsSession::send(const net::Bytes& framed) {
  if (!close_frame_.empty()) return;
  waiting_.push_back(framed);
  waiting_bytes_ += framed.size();
  need_flush();
}

void SockJsSession::ping() {
  ping_due_ = true;
  need_flush();
}

void SockJsSession::resume_input() {
  paused_ = false;
  if (sender_) need_flush();
}

void SockJsSession::close(std::uint16_t /*code*/, std::string_view reason) {
  if (!close_frame_.empty()) return;
  close_frame_ = close_frame(kGoAway, reason.empty() ? "Go away!" : reason);
  resume_input();
  need_flush();
}

std::size_t SockJsSession::queued_bytes() const {
  return waiting_bytes_ + (receiver_ ? receiver_->queued_bytes() : 0);
}

// --- in
// -------------------------------------------------------------------------------------------

bool SockJsSession::take(HttpConnection& connection, std::string_view payload,
                         http::Response accepted) {
  last_read_ms_ = shard_.loop().now_ms();
  const auto messages = reader_.read(payload);
  if (!messages) return false;
  for (const std::string& message : *messages) {
    application_->on_bytes(message);
    application_->on_message_end();
  }
  if (paused_) {
    sender_ = connection.handle();
    accepted_ = std::move(accepted);
  } else {
    connection.respond(std::move(accepted));
  }
  return true;
}

}  // namespace rtc::server

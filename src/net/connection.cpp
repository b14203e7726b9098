#include "net/connection.hpp"

#include <array>
#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace rtc::net {

void ConnectionHandler::on_input_end(Connection& connection) {
  connection.close_after_flush();
}
void ConnectionHandler::on_drained(Connection& /*connection*/) {}
void ConnectionHandler::on_overflow(Connection& /*connection*/) {}

// A timer that wakes the connection, and input that a paused handler did not take.
class Connection::Rare final : public Timer {
 public:
  explicit Rare(Connection& connection) : connection_(connection) {}
  std::string kept_input;

 private:
  void on_timer() override { connection_.on_timer(); }
  Connection& connection_;
};

Connection::Connection(Loop& loop, int fd, const IpAddress& peer,
                       std::unique_ptr<ConnectionHandler> handler)
    : loop_(loop),
      handler_(std::move(handler)),
      client_(peer),
      fd_(fd),
      last_read_ms_(now_short()),
      last_write_ms_(now_short()) {}

Connection::~Connection() {
  outbox_.clear(loop_.outbox_storage());
  if (fd_ >= 0) ::close(fd_);
}

Connection::Rare& Connection::rare() {
  if (rare_ == nullptr) rare_ = std::make_unique<Rare>(*this);
  return *rare_;
}

void Connection::rest() {
  if (rare_ != nullptr && !rare_->armed() && rare_->kept_input.empty()) rare_.reset();
}

void Connection::arm(std::uint64_t delay_ms) {
  loop_.timers().arm(rare(), delay_ms);
}

bool Connection::keeps_input() const {
  return rare_ != nullptr && !rare_->kept_input.empty();
}

void Connection::keep_input(std::span<const char> bytes) {
  if (bytes.empty()) return;
  rare().kept_input.assign(bytes.data(), bytes.size());
}

void Connection::send(Bytes bytes) {
  if (state_ != State::open || overflowed_) return;
  outbox_.push(std::move(bytes), loop_.outbox_storage());
  if (watches_write_ && holds_too_much()) {
    overflow();
    return;
  }
  want_write();
}

bool Connection::holds_too_much() const {
  return outbox_rule_ == OutboxRule::stream && outbox_.bytes() > loop_.bounds().outbox_bytes_max;
}

void Connection::want_write() {
  if (in_writers_ || watches_write_ || outbox_.empty()) return;
  in_writers_ = true;
  loop_.want_write(*this);
}

void Connection::on_ready(bool readable, bool writable) {
  if (state_ == State::ended) return;
  if (readable && !watches_read_) {
    // Not asked for: a reset or a hang-up, unless it was paused since the kernel was asked.
    pollfd state{fd_, 0, 0};
    if (::poll(&state, 1, 0) > 0) end(CloseReason::peer);
    return;
  }
  if (writable && watches_write_) {
    watch({.read = watches_read_, .write = false});
    want_write();
  }
  if (readable) read_once();
}

void Connection::read_once() {
  const std::span<char> buffer = loop_.read_buffer();
  const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return;
    end(CloseReason::peer);
    return;
  }
  if (state_ == State::lingering || state_ == State::flushing) {
    // Nothing more is wanted from the peer; his end of stream is.
    if (count > 0) return;
    input_ended_ = true;
    watch({.read = false, .write = watches_write_});
    if (state_ == State::lingering) end(CloseReason::local);
    return;
  }
  if (count == 0) {
    input_ended_ = true;
    watch({.read = false, .write = watches_write_});
    if (!paused_ && !keeps_input()) {
      end_reported_ = true;
      handler_->on_input_end(*this);
    }
    return;
  }
  last_read_ms_ = now_short();
  const auto size = static_cast<std::size_t>(count);
  loop_.figures().bytes_read.fetch_add(size, std::memory_order_relaxed);
  feed(buffer.first(size));
}

void Connection::feed(std::span<char> bytes) {
  feeding_ = true;
  while (!bytes.empty() && !paused_ && state_ == State::open) {
    bytes = bytes.subspan(handler_->on_input(*this, bytes));
  }
  feeding_ = false;
  if (state_ == State::open || detached_) keep_input(bytes);
}

void Connection::feed_kept() {
  while (keeps_input() && !paused_ && state_ == State::open) {
    std::string input = std::exchange(rare_->kept_input, {});
    feed({input.data(), input.size()});
  }
  rest();
  if (paused_ || state_ != State::open) return;
  if (input_ended_) {
    if (end_reported_) return;
    end_reported_ = true;
    handler_->on_input_end(*this);
  } else if (!watches_read_) {
    watch({.read = true, .write = watches_write_});
  }
}

void Connection::pause() {
  paused_ = true;
  if (watches_read_ && state_ == State::open) watch({.read = false, .write = watches_write_});
}

void Connection::resume() {
  if (!paused_) return;
  paused_ = false;
  if (!feeding_) feed_kept();
  if (!paused_ && state_ == State::open && !input_ended_ && !watches_read_) {
    watch({.read = true, .write = watches_write_});
  }
}

void Connection::close_after_flush() {
  if (state_ != State::open) return;
  state_ = State::flushing;
  if (rare_ != nullptr) rare_->kept_input = {};
  if (!input_ended_ && !watches_read_) watch({.read = true, .write = watches_write_});
  arm(loop_.bounds().close_timeout_ms);
  if (outbox_.empty()) linger();
}

// All is written: end our direction and wait for the peer's end.
void Connection::linger() {
  ::shutdown(fd_, SHUT_WR);
  state_ = State::lingering;
  if (input_ended_) end(CloseReason::local);
}

// The sender may be in the middle of handing the same bytes to others, so what follows from it
// waits for the timer.
void Connection::overflow() {
  overflowed_ = true;
  arm(0);
}

void Connection::on_timer() {
  if (state_ != State::open) {
    end(CloseReason::local);
    return;
  }
  // Too much waits, or for too long.
  outbox_.drop_unbegun(loop_.outbox_storage());
  overflowed_ = false;
  handler_->on_overflow(*this);
  if (state_ == State::open) end(CloseReason::overflow);
}

void Connection::end(CloseReason reason) {
  if (state_ == State::ended) return;
  state_ = State::ended;
  reason_ = reason;
  if (rare_ != nullptr) rare_->cancel();
  loop_.poller().remove(fd_);
  loop_.want_burial(*this);
}

void Connection::on_burial() {
  if (!detached_) {
    handler_->on_closed(*this, reason_);
    return;
  }
  auto detached = std::make_shared<DetachedConnection>(std::exchange(fd_, -1), client_);
  if (keeps_input()) detached->input = std::move(rare_->kept_input);
  std::array<iovec, 64> parts{};
  while (!outbox_.empty()) {
    std::size_t bytes = 0;
    for (const iovec& part : std::span(parts).first(outbox_.gather(parts))) {
      detached->output.append(static_cast<const char*>(part.iov_base), part.iov_len);
      bytes += part.iov_len;
    }
    outbox_.consume(bytes, loop_.outbox_storage());
  }
  handler_->on_detached(std::move(detached));
}

void Connection::detach() {
  if (state_ != State::open) return;
  detached_ = true;
  end(CloseReason::local);
}

void Connection::take_over(DetachedConnection& detached) {
  keep_input(detached.input);
  if (!detached.output.empty()) send(detached.output);
}

void Connection::set_handler(std::unique_ptr<ConnectionHandler> handler) {
  // The old handler is most likely on the stack, calling this: let it live until the turn's end.
  loop_.bury_later(std::exchange(handler_, std::move(handler)));
}

void Connection::watch(Interest interest) {
  if (state_ == State::ended ||
      (interest.read == watches_read_ && interest.write == watches_write_)) {
    return;
  }
  watches_read_ = interest.read;
  watches_write_ = interest.write;
  loop_.poller().change(fd_, interest, static_cast<Source*>(this));
}

// The peer took something: what the timer ran for is over.
void Connection::end_stall() {
  if (!stalled_) return;
  stalled_ = false;
  rare_->cancel();
  rest();
}

std::size_t Connection::gather(std::span<iovec> parts) {
  in_writers_ = false;
  return state_ == State::ended ? 0 : outbox_.gather(parts);
}

void Connection::on_written(ssize_t result) {
  if (state_ == State::ended) return;
  if (result == -EAGAIN || result == -EWOULDBLOCK) {
    if (state_ == State::open && !overflowed_) {
      if (holds_too_much()) {
        overflow();
      } else if (!stalled_) {
        stalled_ = true;
        arm(loop_.bounds().outbox_time_ms_max);
      }
    }
    watch({.read = watches_read_, .write = true});
    return;
  }
  if (result < 0) {
    end(CloseReason::peer);
    return;
  }
  last_write_ms_ = now_short();
  outbox_.consume(static_cast<std::size_t>(result), loop_.outbox_storage());
  if (!outbox_.empty()) {
    if (outbox_rule_ == OutboxRule::response) {
      // As long as the peer goes on taking some of it, he is waited for.
      if (state_ == State::flushing) {
        arm(loop_.bounds().close_timeout_ms);
      } else {
        end_stall();
      }
    }
    want_write();  // a full socket answers the next try with EAGAIN
    return;
  }
  if (state_ == State::open && !overflowed_) end_stall();
  if (state_ == State::flushing) {
    linger();
  } else {
    handler_->on_drained(*this);
  }
}

}  // namespace rtc::net

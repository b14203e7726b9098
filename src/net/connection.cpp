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

Connection::Connection(Loop& loop, int fd, const IpAddress& peer, const ConnectionBounds& bounds,
                       std::unique_ptr<ConnectionHandler> handler)
    : loop_(loop),
      fd_(fd),
      peer_(peer),
      bounds_(bounds),
      handler_(std::move(handler)),
      last_read_ms_(loop.now_ms()),
      last_write_ms_(loop.now_ms()) {}

Connection::~Connection() {
  outbox_.clear(loop_.outbox_storage());
  if (fd_ >= 0) ::close(fd_);
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
    if (!paused_ && kept_input_ == nullptr) {
      end_reported_ = true;
      handler_->on_input_end(*this);
    }
    return;
  }
  last_read_ms_ = loop_.now_ms();
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
  if (!bytes.empty() && (state_ == State::open || detached_)) {
    kept_input_ = std::make_unique<std::string>(bytes.data(), bytes.size());
  }
}

void Connection::feed_kept() {
  while (kept_input_ != nullptr && !paused_ && state_ == State::open) {
    const std::unique_ptr<std::string> input = std::move(kept_input_);
    feed({input->data(), input->size()});
  }
  if (paused_ || state_ != State::open) return;
  if (input_ended_) {
    if (!std::exchange(end_reported_, true)) handler_->on_input_end(*this);
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
  kept_input_.reset();
  if (!input_ended_ && !watches_read_) watch({.read = true, .write = watches_write_});
  loop_.timers().arm(*this, bounds_.close_timeout_ms);
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
  loop_.timers().arm(*this, 0);
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
  cancel();
  loop_.poller().remove(fd_);
  loop_.want_burial(*this);
}

void Connection::on_burial() {
  if (!detached_) {
    handler_->on_closed(*this, reason_);
    return;
  }
  auto detached = std::make_shared<DetachedConnection>(std::exchange(fd_, -1), peer_);
  if (kept_input_ != nullptr) detached->input = std::move(*kept_input_);
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
  if (!detached.input.empty())
    kept_input_ = std::make_unique<std::string>(std::move(detached.input));
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
      } else if (!std::exchange(stalled_, true)) {
        loop_.timers().arm(*this, bounds_.outbox_time_ms_max);
      }
    }
    watch({.read = watches_read_, .write = true});
    return;
  }
  if (result < 0) {
    end(CloseReason::peer);
    return;
  }
  last_write_ms_ = loop_.now_ms();
  outbox_.consume(static_cast<std::size_t>(result), loop_.outbox_storage());
  if (!outbox_.empty()) {
    if (outbox_rule_ == OutboxRule::response) {
      // As long as the peer goes on taking some of it, he is waited for.
      stalled_ = false;
      if (state_ == State::flushing) loop_.timers().arm(*this, bounds_.close_timeout_ms);
    }
    want_write();  // a full socket answers the next try with EAGAIN
    return;
  }
  if (std::exchange(stalled_, false) && state_ == State::open && !overflowed_) cancel();
  if (state_ == State::flushing) {
    linger();
  } else {
    handler_->on_drained(*this);
  }
}

}  // namespace rtc::net

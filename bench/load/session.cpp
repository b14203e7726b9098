#include "session.hpp"

#include <algorithm>
#include <cerrno>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.hpp"
#include "http.hpp"
#include "stomp.hpp"

namespace load {
namespace {

using websocket::Opcode;

// Frames must be masked by something new each time, not by something that nobody can guess: this
// client defends no cache.
std::uint32_t next_mask() {
  static std::uint32_t mask = 0x9E3779B9;
  mask ^= mask << 13;
  mask ^= mask >> 17;
  mask ^= mask << 5;
  return mask;
}

}  // namespace

Session::Session(Loop& loop, const Options& options, SessionEvents& events, const Place& place)
    : loop_(loop),
      options_(options),
      events_(events),
      place_(place),
      fd_(connect_to(options, false)) {
  loop_.add(fd_, *this);
  out_ = websocket::upgrade_request(fmt::format("{}:{}", options.host, options.port), options.path,
                                    options.subprotocol);
  wants_flush_ = true;
  loop_.want_flush(*this);
}

Session::~Session() {
  if (fd_ >= 0) ::close(fd_);
}

void Session::send(std::string_view stomp) {
  send_frame(Opcode::text, stomp);
}

void Session::send_frame(Opcode opcode, std::string_view payload) {
  if (state_ == State::closed) return;
  websocket::append_frame(out_, opcode, payload, next_mask());
  if (wants_flush_) return;
  wants_flush_ = true;
  loop_.want_flush(*this);
}

void Session::leave() {
  constexpr std::string_view kNormal = "\x03\xE8";  // 1000
  send_frame(Opcode::close, kNormal);
  state_ = State::leaving;
}

void Session::flush() {
  wants_flush_ = false;
  if (state_ == State::closed || out_.empty()) return;
  const ssize_t count = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) {
    end("the server cut the connection");
    return;
  }
  const std::size_t taken = count < 0 ? 0 : static_cast<std::size_t>(count);
  bytes_out_ += taken;
  out_.erase(0, taken);
  if (out_.empty() == watches_write_) {
    watches_write_ = !out_.empty();
    loop_.watch(fd_, *this, reads_, watches_write_);
  }
}

void Session::stop_reading() {
  if (state_ == State::closed) return;
  constexpr int kBufferBytes = 64 << 10;  // what the kernel goes on taking is not what is looked at
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kBufferBytes, sizeof kBufferBytes);
  reads_ = false;
  loop_.watch(fd_, *this, reads_, watches_write_);
}

void Session::read(std::size_t bytes_max) {
  if (state_ == State::closed) return;
  const auto buffer = loop_.read_buffer();
  const ssize_t count = ::recv(fd_, buffer.data(), std::min(buffer.size(), bytes_max), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    end(count == 0 ? "the server closed the connection" : "the server cut the connection");
    return;
  }
  read_ns_ = now_ns();
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
  bytes_in_ += bytes.size();
  if (in_.empty()) {
    in_ = bytes.substr(take(bytes));
  } else {
    in_ += bytes;
    in_.erase(0, take(in_));
  }
}

std::size_t Session::take(std::string_view bytes) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  std::size_t taken = 0;
  if (state_ == State::upgrading) {
    const std::size_t end_of_head = bytes.find(kEnd);
    if (end_of_head == std::string_view::npos) return 0;
    if (!bytes.starts_with("HTTP/1.1 101")) {
      end(fmt::format("the upgrade was refused: {}", bytes.substr(0, bytes.find('\r'))));
      return bytes.size();
    }
    taken = end_of_head + kEnd.size();
    on_upgraded();
  }
  while (state_ != State::closed) {
    websocket::Frame frame;
    const auto parsed = websocket::parse_frame(bytes.substr(taken), frame);
    if (parsed == websocket::Parsed::need_more) return taken;
    if (parsed == websocket::Parsed::bad) {
      end("the server sent a WebSocket frame that is masked or uses reserved bits");
      break;
    }
    taken += frame.size;
    on_frame(frame);
  }
  return bytes.size();
}

void Session::on_upgraded() {
  state_ = State::connecting;
  send(stomp::connect_frame(options_, place_.token));
}

void Session::on_frame(const websocket::Frame& frame) {
  switch (frame.opcode) {
    case Opcode::text:
    case Opcode::binary:
    case Opcode::more:
      if (frame.last && fragments_.empty()) {
        on_stomp(frame.payload);
        return;
      }
      fragments_ += frame.payload;
      if (!frame.last) return;
      on_stomp(fragments_);
      fragments_.clear();
      return;
    case Opcode::ping:
      send_frame(Opcode::pong, frame.payload);
      return;
    case Opcode::pong:
      return;
    case Opcode::close:
      if (state_ != State::leaving) send_frame(Opcode::close, frame.payload.substr(0, 2));
      flush();
      end("the server closed the WebSocket");
      return;
  }
  end("the server sent a WebSocket frame of an unknown kind");
}

void Session::on_stomp(std::string_view frame) {
  if (frame.starts_with("MESSAGE\n")) {
    events_.on_message(*this, frame);
    return;
  }
  if (frame == "\n" || frame == "\r\n") {
    events_.on_heart_beat();
    return;
  }
  const std::string_view command = stomp::command(frame);
  if (command == "MESSAGE") {
    events_.on_message(*this, frame);
  } else if (command == "CONNECTED" && state_ == State::connecting) {
    on_connected(frame);
  } else if (command == "RECEIPT" && state_ == State::subscribing) {
    if (--receipts_awaited_ > 0) return;
    state_ = State::ready;
    events_.on_ready(*this);
  } else if (command == "RECEIPT") {
    events_.on_receipt(*this);
  } else {
    end(fmt::format("the server sent: {}", frame.substr(0, frame.find('\0'))));
  }
}

void Session::on_connected(std::string_view frame) {
  beats_wanted_ms_ = stomp::beats_wanted_ms(options_, frame);
  state_ = State::subscribing;
  const auto subscribe = [this](const std::string& destination) {
    const std::string id = fmt::format("sub-{}", receipts_awaited_++);
    send(
        stomp::frame("SUBSCRIBE", {{"id", id},
                                   {"destination", expand(destination, "{room}", place_.room_name)},
                                   {"receipt", id}}));
  };
  subscribe(options_.subscribe_to);
  for (const std::string& destination : options_.also_subscribe_to) {
    subscribe(expand(destination, "{room}", place_.room_name));
  }
}

void Session::end(const std::string& why) {
  if (state_ == State::closed) return;
  const bool left = state_ == State::leaving;
  state_ = State::closed;
  ::close(fd_);
  fd_ = -1;
  events_.on_closed(*this, left ? "" : why);
}

}  // namespace load

#include "http_stream.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.hpp"
#include "http.hpp"

namespace load {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr int kNoContent = 204;

template <class Number>
bool parse(std::string_view text, Number& number, int base = 10) {
  return std::from_chars(text.data(), text.data() + text.size(), number, base).ec == std::errc{};
}

// The value of a header in a head of lower case; empty without one.
std::string_view value_of(std::string_view head, std::string_view name) {
  const std::size_t at = head.find(name);
  if (at == std::string_view::npos) return {};
  head.remove_prefix(at + name.size());
  head.remove_prefix(std::min(head.find_first_not_of(' '), head.size()));
  return head.substr(0, head.find('\r'));
}

}  // namespace

void HttpStream::open() {
  fd_ = connect_to(options_);
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  loop_.add(fd_, *this);
  ++tally_.connections;
}

void HttpStream::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
  watches_write_ = false;
  in_.clear();
  out_.clear();
}

void HttpStream::ask(std::string_view request) {
  if (fd_ < 0) open();
  ++tally_.requests;
  state_ = State::head;
  closes_ = false;
  out_ += request;
  if (wants_flush_) return;
  wants_flush_ = true;
  loop_.want_flush(*this);
}

void HttpStream::flush() {
  wants_flush_ = false;
  if (fd_ < 0 || out_.empty()) return;
  const ssize_t count = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
  if (count < 0 && errno != EAGAIN) {
    fail("the server cut an HTTP connection");
    return;
  }
  const std::size_t taken = count < 0 ? 0 : static_cast<std::size_t>(count);
  tally_.bytes_out += taken;
  out_.erase(0, taken);
  if (out_.empty() == watches_write_) {
    watches_write_ = !out_.empty();
    loop_.watch(fd_, *this, true, watches_write_);
  }
}

void HttpStream::on_readable() {
  if (fd_ < 0) return;
  const auto buffer = loop_.read_buffer();
  const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    fail("the server closed an HTTP connection before its answer was whole");
    return;
  }
  const std::int64_t read_ns = now_ns();
  const std::string_view bytes(buffer.data(), static_cast<std::size_t>(count));
  tally_.bytes_in += bytes.size();
  if (in_.empty()) {
    const std::size_t taken = take(bytes, read_ns);
    if (taken < bytes.size()) in_ = bytes.substr(taken);
  } else {
    std::string all = std::exchange(in_, {}).append(bytes);
    const std::size_t taken = take(all, read_ns);
    if (taken < all.size()) in_ = all.substr(taken);
  }
}

std::size_t HttpStream::take(std::string_view bytes, std::int64_t read_ns) {
  std::size_t taken = 0;
  while (taken < bytes.size()) {
    const std::string_view rest = bytes.substr(taken);
    switch (state_) {
      case State::idle:
        fail("the server sent what nobody asked for");
        return bytes.size();
      case State::head: {
        const std::size_t end = rest.find(kHeadEnd);
        if (end == std::string_view::npos) return taken;
        taken += end + kHeadEnd.size();
        if (!take_head(rest.substr(0, end + kLineEnd.size()))) return bytes.size();
        break;
      }
      case State::body:
      case State::chunk: {
        const std::string_view piece = rest.substr(0, left_);
        taken += piece.size();
        left_ -= piece.size();
        events_.on_body(piece, read_ns);
        if (left_ > 0) break;
        if (state_ == State::body) {
          end_answer();
        } else {
          state_ = State::chunk_end;
        }
        break;
      }
      case State::chunk_size:
      case State::chunk_end:
      case State::trailer: {
        const std::size_t end = rest.find(kLineEnd);
        if (end == std::string_view::npos) return taken;
        taken += end + kLineEnd.size();
        if (state_ == State::chunk_end) {
          state_ = State::chunk_size;
        } else if (state_ == State::chunk_size) {
          if (!parse(rest.substr(0, end), left_, 16)) {
            fail("the server sent a chunk without a size");
            return bytes.size();
          }
          state_ = left_ > 0 ? State::chunk : State::trailer;
        } else if (end == 0) {
          end_answer();
        }
        break;
      }
    }
  }
  return taken;
}

bool HttpStream::take_head(std::string_view head) {
  constexpr std::string_view kVersion = "http/1.1 ";
  std::string lower(head);
  for (char& letter : lower) letter = static_cast<char>(std::tolower(letter));
  if (!lower.starts_with(kVersion) || !parse(lower.substr(kVersion.size(), 3), status_)) {
    fail("the server's answer is no HTTP");
    return false;
  }
  closes_ = value_of(lower, "\r\nconnection:") == "close";
  left_ = 0;
  if (value_of(lower, "\r\ntransfer-encoding:") == "chunked") {
    state_ = State::chunk_size;
    return true;
  }
  const std::string_view length = value_of(lower, "\r\ncontent-length:");
  if (status_ != kNoContent && !parse(length, left_)) {
    fail("an HTTP answer without a length");
    return false;
  }
  state_ = State::body;
  if (left_ == 0) end_answer();
  return true;
}

void HttpStream::end_answer() {
  state_ = State::idle;
  if (closes_) close();
  events_.on_answer(status_);
}

void HttpStream::fail(const std::string& why) {
  const bool awaited = busy();
  close();
  state_ = State::idle;
  if (awaited) events_.on_broken(why);
}

}  // namespace load

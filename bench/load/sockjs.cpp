#include "sockjs.hpp"

#include <algorithm>
#include <fmt/core.h>

#include "stamp.hpp"
#include "stomp.hpp"

namespace load {
namespace {

constexpr int kOk = 200;
constexpr int kNoContent = 204;
constexpr std::size_t kConnections = 64;

void append_escaped(std::string& out, std::string_view text) {
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') {
      out += '\\';
      out += letter;
    } else if (static_cast<unsigned char>(letter) < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(letter));
    } else {
      out += letter;
    }
  }
}

// Takes the first string of `json`, which begins with its quote; empty if there is none. Characters
// beyond ASCII do not come escaped in what is looked at here.
std::string take_string(std::string_view& json) {
  std::string text;
  if (!json.starts_with('"')) return text;
  std::size_t at = 1;
  while (at < json.size() && json[at] != '"') {
    const std::size_t plain_end = std::min(json.find_first_of("\"\\", at), json.size());
    text += json.substr(at, plain_end - at);
    at = plain_end;
    if (at + 1 >= json.size() || json[at] != '\\') continue;
    const char letter = json[at + 1];
    at += 2;
    if (letter == 'u' && at + 4 <= json.size()) {
      text += static_cast<char>(std::stoul(std::string(json.substr(at, 4)), nullptr, 16));
      at += 4;
    } else if (letter == 'n') {
      text += '\n';
    } else if (letter == 'r') {
      text += '\r';
    } else if (letter == 't') {
      text += '\t';
    } else {
      text += letter;
    }
  }
  json.remove_prefix(std::min(at + 1, json.size()));
  return text;
}

std::string_view transport_name(Options::Transport transport) {
  switch (transport) {
    case Options::Transport::xhr_streaming:
      return "xhr_streaming";
    case Options::Transport::eventsource:
      return "eventsource";
    default:
      return "xhr";
  }
}

}  // namespace

class SockJsSenders::Connection final : public HttpEvents {
 public:
  explicit Connection(SockJsSenders& senders)
      : senders_(senders), stream_(senders.loop_, senders.options_, *this) {}

  void send(const Waiting& waiting) {
    sender_ = waiting.sender;
    stream_.ask(waiting.request);
  }
  const Tally& tally() const { return stream_.tally(); }

 private:
  void on_body(std::string_view /*piece*/, std::int64_t /*read_ns*/) override {}
  void on_answer(int status) override {
    if (status != kNoContent) sender_->on_not_sent(fmt::format("xhr_send: {}", status));
    senders_.serve(*this);
  }
  void on_broken(const std::string& why) override {
    sender_->on_not_sent(why);
    senders_.serve(*this);
  }

  SockJsSenders& senders_;
  SockJsCarrier* sender_ = nullptr;
  HttpStream stream_;
};

SockJsSenders::SockJsSenders(Loop& loop, const Options& options) : loop_(loop), options_(options) {
  for (std::size_t i = 0; i < kConnections; ++i) {
    connections_.push_back(std::make_unique<Connection>(*this));
    idle_.push_back(connections_.back().get());
  }
}
SockJsSenders::~SockJsSenders() = default;

void SockJsSenders::send(SockJsCarrier& sender, std::string request) {
  if (idle_.empty()) {
    waiting_.push_back({&sender, std::move(request)});
    return;
  }
  Connection* const connection = idle_.back();
  idle_.pop_back();
  connection->send({&sender, std::move(request)});
}

void SockJsSenders::serve(Connection& connection) {
  if (waiting_next_ == waiting_.size()) {
    waiting_.clear();
    waiting_next_ = 0;
    idle_.push_back(&connection);
    return;
  }
  const Waiting waiting = std::move(waiting_[waiting_next_++]);
  connection.send(waiting);
}

Tally SockJsSenders::tally() const {
  Tally all;
  for (const auto& each : connections_) all = all + each->tally();
  return all;
}

SockJsCarrier::SockJsCarrier(Loop& loop, const Options& options, CarrierEvents& events,
                             SockJsSenders& senders, const Session::Place& place)
    : options_(options),
      events_(events),
      senders_(senders),
      place_(place),
      path_(fmt::format("/connect/000/{:022}", place.index)),
      stream_(loop, options, *this) {
  receive();
}

void SockJsCarrier::receive() {
  const bool posts = options_.transport != Options::Transport::eventsource;
  stream_.ask(fmt::format("{} {}/{} HTTP/1.1\r\nHost: {}:{}\r\n{}\r\n", posts ? "POST" : "GET",
                          path_, transport_name(options_.transport), options_.host, options_.port,
                          posts ? "Content-Length: 0\r\n" : ""));
}

void SockJsCarrier::send(std::string_view stomp) {
  std::string body = "[\"";
  append_escaped(body, stomp);
  body += "\"]";
  senders_.send(*this,
                fmt::format("POST {}/xhr_send HTTP/1.1\r\nHost: {}:{}\r\nContent-Type: text/plain"
                            "\r\nContent-Length: {}\r\n\r\n{}",
                            path_, options_.host, options_.port, body.size(), body));
}

void SockJsCarrier::on_body(std::string_view piece, std::int64_t read_ns) {
  constexpr std::string_view kEvent = "data: ";
  line_ += piece;
  std::size_t begin = 0;
  for (std::size_t end = line_.find('\n'); end != std::string::npos;
       end = line_.find('\n', begin)) {
    std::string_view line = std::string_view(line_).substr(begin, end - begin);
    begin = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with(kEvent)) line.remove_prefix(kEvent.size());
    if (!line.empty()) on_sockjs(line, read_ns);
  }
  line_.erase(0, begin);
}

void SockJsCarrier::on_answer(int status) {
  if (status != kOk) cut_off(fmt::format("a receiving request was answered {}", status));
  if (!cut_off_) receive();
}

void SockJsCarrier::on_sockjs(std::string_view frame, std::int64_t read_ns) {
  switch (frame.front()) {
    case 'o':
      send(stomp::connect_frame(options_, place_.token));
      return;
    case 'h':  // a heart-beat, or the prelude
      return;
    case 'a': {
      frame.remove_prefix(1);
      while (frame.starts_with('[') || frame.starts_with(',')) {
        frame.remove_prefix(1);
        on_stomp(take_string(frame), read_ns);
      }
      return;
    }
    default:
      cut_off(fmt::format("the server sent: {}", frame));
  }
}

void SockJsCarrier::on_stomp(std::string_view frame, std::int64_t read_ns) {
  const std::string_view command = stomp::command(frame);
  if (command == "MESSAGE") {
    const std::size_t at = find_stamp(frame, stamp_hint_);
    if (at == std::string_view::npos) return;
    stamp_hint_ = at;
    events_.on_text(place_.index, frame.substr(at), read_ns);
  } else if (command == "CONNECTED") {
    beats_wanted_ms_ = stomp::beats_wanted_ms(options_, frame);
    send(stomp::frame("SUBSCRIBE",
                      {{"id", "sub-0"},
                       {"destination", expand(options_.subscribe_to, "{room}", place_.room_name)},
                       {"receipt", "sub-0"}}));
  } else if (command == "RECEIPT") {
    events_.on_joined(place_.index);
  } else if (!command.empty()) {
    cut_off(fmt::format("the server sent: {}", frame));
  }
}

void SockJsCarrier::cut_off(const std::string& why) {
  if (std::exchange(cut_off_, true)) return;
  events_.on_cut_off(place_.index, why);
}

}  // namespace load

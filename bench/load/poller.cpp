#include "poller.hpp"

#include <charconv>
#include <fmt/core.h>

#include "stamp.hpp"

namespace load {
namespace {

constexpr int kOk = 200;
constexpr std::string_view kId = "{\"id\":";
constexpr std::string_view kText = ",\"message\":\"";

}  // namespace

Poller::Poller(Loop& loop, const Options& options, CarrierEvents& events,
               const Session::Place& place, std::uint32_t page)
    : options_(options),
      events_(events),
      place_(place),
      page_(page),
      stream_(loop, options, *this) {}

bool Poller::poll() {
  if (stream_.busy()) return false;
  ask(0);
  return true;
}

void Poller::ask(std::uint64_t before) {
  const std::string target =
      before == 0 ? fmt::format("/message?roomId={}&limit={}", place_.room_name, page_)
                  : fmt::format("/message/lastMessageId?roomId={}&limit={}&lastMessageId={}",
                                place_.room_name, page_, before);
  stream_.ask(fmt::format("GET {} HTTP/1.1\r\nHost: {}:{}\r\nAuthorization: Bearer {}\r\n{}\r\n",
                          target, options_.host, options_.port, place_.token,
                          options_.keep_alive ? "" : "Connection: close\r\n"));
}

void Poller::on_body(std::string_view piece, std::int64_t read_ns) {
  body_ += piece;
  read_ns_ = read_ns;
}

void Poller::on_answer(int status) {
  const std::string body = std::exchange(body_, {});
  constexpr std::string_view kFine = "\"success\":true";
  if (status != kOk || body.find(kFine) == std::string::npos) {
    events_.on_cut_off(place_.index, fmt::format("a poll was answered {}: {}", status, body));
    return;
  }
  bool reached = true;  // what was known
  const std::string_view json = body;
  for (std::size_t at = json.find(kId); at != std::string_view::npos; at = json.find(kId, at)) {
    at += kId.size();
    std::uint64_t id = 0;
    const char* const end = std::from_chars(json.data() + at, json.data() + json.size(), id).ptr;
    if (joined_ && id <= last_) break;
    at = static_cast<std::size_t>(end - json.data());
    if (!json.substr(at).starts_with(kText)) break;
    const std::string_view text = json.substr(at + kText.size());
    found_.push_back({id, std::string(text.substr(0, text.find('"')))});
    reached = !joined_ || id == last_ + 1;
  }
  if (reached) {
    see();
  } else {
    ask(found_.back().id);
  }
}

void Poller::see() {
  if (!found_.empty()) last_ = found_.front().id;
  if (joined_) {
    for (auto each = found_.rbegin(); each != found_.rend(); ++each) {
      events_.on_text(place_.index, each->text, read_ns_);
    }
  }
  found_.clear();
  if (joined_) return;
  joined_ = true;
  events_.on_joined(place_.index);
}

}  // namespace load

#include "cost.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <numeric>

#include "clock.hpp"
#include "poller.hpp"
#include "stamp.hpp"
#include "stomp.hpp"

namespace load {
namespace {

constexpr std::int64_t kTurnMax = 20 * kMillisecond;
constexpr std::int64_t kBeatTick = 50 * kMillisecond;
// After the last expected message, so that a repeat can still come.
constexpr std::int64_t kLinger = 200 * kMillisecond;
// A poller asks for a fifth more messages than are due between two polls: those come in bunches.
constexpr double kPageSpare = 1.2;
constexpr double kPageMax = 100;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
}

// A step by which everyone's turn comes once, and those of one room not one after the other.
std::uint32_t stride_for(std::uint32_t users) {
  constexpr double kGolden = 0.618;
  auto stride = static_cast<std::uint32_t>(std::ceil(users * kGolden));
  while (std::gcd(stride, users) != 1) ++stride;
  return stride;
}

Options writer_options(Options options) {
  options.path = "/ws";
  options.subscribe_to = "/user/queue/errors";
  options.heart_beat_ms = 0;
  return options;
}

std::string_view name_of(Options::Transport transport) {
  switch (transport) {
    case Options::Transport::poll:
      return "poll";
    case Options::Transport::xhr:
      return "xhr";
    case Options::Transport::xhr_streaming:
      return "xhr-streaming";
    case Options::Transport::eventsource:
      return "eventsource";
    case Options::Transport::websocket:
      return "websocket";
  }
  return "";
}

}  // namespace

Cost::Cost(const Options& options)
    : options_(options),
      writer_options_(writer_options(options)),
      server_(options.pid),
      crowd_(loop_, options, options.sessions()),
      senders_(loop_, options),
      stride_(stride_for(options.sessions())),
      checks_(options.sessions()) {}

Report Cost::run() {
  begin();
  const Footprint before = Footprint::now(server_);
  join();
  hold_until(now_ns() + nanoseconds(options_.settle_seconds));
  const Footprint after = Footprint::now(server_);

  write_begin_ns_ = now_ns();
  writing_ = true;
  window_begin_ns_ = write_begin_ns_ + nanoseconds(options_.warm_up_seconds);
  window_end_ns_ = window_begin_ns_ + nanoseconds(options_.seconds);
  hold_until(window_begin_ns_);
  const Snapshot first = snapshot();
  hold_until(window_end_ns_);
  const Snapshot last = snapshot();
  writing_ = false;
  const std::uint64_t expected = written_ / options_.rooms * options_.sessions() +
                                 written_ % options_.rooms * options_.readers;
  last_seen_ns_ = now_ns();
  const std::int64_t patience = nanoseconds(options_.patience_seconds);
  while (seen_ < expected && cut_off_ == 0 && now_ns() - last_seen_ns_ < patience) {
    hold_until(now_ns() + kTurnMax);
  }
  hold_until(now_ns() + kLinger);

  Report report;
  const Usage spent = last.usage - first.usage;
  const Tally used = last.tally - first.tally;
  const double seconds = static_cast<double>(spent.time_ns) / static_cast<double>(kSecond);
  const double user_seconds = seconds * options_.sessions();
  const auto each = [&](std::uint64_t count) { return static_cast<double>(count) / user_seconds; };
  report.text("mode", "cost");
  report.text("transport", name_of(options_.transport));
  report.number("users", options_.sessions());
  report.number("rooms", options_.rooms);
  report.number("messages_per_room_second", options_.rate / options_.rooms, 3);
  report.number("seconds", seconds, 3);
  if (polls()) {
    report.number("poll_seconds", options_.poll_seconds, 3);
    report.number("polls_skipped", static_cast<double>(last.polls_skipped - first.polls_skipped));
  }
  report.number("connections_per_user_second", each(used.connections), 5);
  report.number("requests_per_user_second", each(used.requests), 5);
  report.number("bytes_to_server_per_user_second", each(used.bytes_out), 2);
  report.number("bytes_to_user_per_user_second", each(used.bytes_in), 2);
  report.number("seen_per_user_second", each(last.seen - first.seen), 4);
  report.number("written", static_cast<double>(written_));
  report.number("seen", static_cast<double>(seen_));
  for (const auto& [name, percent] :
       {std::pair{"delay_p50_us", 50.0}, {"delay_p90_us", 90.0}, {"delay_p99_us", 99.0}}) {
    report.number(name, static_cast<double>(delays_.percentile_ns(percent)) / 1000, 1);
  }
  report.number("delay_max_us", static_cast<double>(delays_.max_ns()) / 1000, 1);
  report.usage(spent, server_.watches());
  if (server_.watches()) {
    report.number("server_cpu_us_per_user_second",
                  static_cast<double>(spent.server_cpu_ns) / 1000 / user_seconds, 3);
    report_footprint(report, before, after);
  }
  for (const SequenceCheck& check : checks_) {
    const auto user = static_cast<std::uint32_t>(&check - checks_.data());
    const std::uint32_t room = crowd_.place(user).room;
    faults_.lost += check.missing(static_cast<std::uint32_t>(
        written_ / options_.rooms + (room < written_ % options_.rooms ? 1 : 0)));
  }
  report.fault("lost", faults_.lost);
  report.fault("repeated", faults_.repeated);
  report.fault("disordered", faults_.disordered);
  report.fault("strays", strays_);
  report.fault("sessions_cut_off", cut_off_);
  if (cut_off_ > 0) fmt::print(stderr, "rtc_load: first user cut off: {}\n", first_cut_);
  return report;
}

void Cost::report_footprint(Report& report, const Footprint& before, const Footprint& after) const {
  const double users = options_.sessions();
  report.number(
      "private_bytes_per_user",
      static_cast<double>(after.server.private_bytes - before.server.private_bytes) / users);
  // Both ends of a connection are this machine's, so a half of each is the server's. Others on the
  // machine count too: the sockets say whether somebody came or went meanwhile.
  const auto half = [&](std::int64_t difference) {
    return static_cast<double>(difference) / users / 2;
  };
  report.number("kernel_slab_bytes_per_user",
                half(after.kernel.slab_bytes - before.kernel.slab_bytes));
  report.number("kernel_buffer_bytes_per_user",
                half(after.kernel.socket_buffer_bytes - before.kernel.socket_buffer_bytes));
  report.number("sockets_per_user",
                static_cast<double>(after.kernel.sockets - before.kernel.sockets) / users, 3);
  report.number("sockets_in_time_wait", static_cast<double>(after.kernel.sockets_in_time_wait));
}

// Rooms are written to in their order, so their readers come in another one: or who polls would
// always do so when his room's message has just, or has not quite, been written.
std::unique_ptr<Carrier> Cost::carrier(std::uint32_t turn) {
  const auto user = static_cast<std::uint32_t>(std::uint64_t{turn} * stride_ % options_.sessions());
  const Session::Place place = crowd_.place(user);
  CarrierEvents& events = *this;
  if (options_.transport == Options::Transport::websocket) {
    return std::make_unique<WebSocketCarrier>(loop_, options_, events, place);
  }
  if (!polls()) return std::make_unique<SockJsCarrier>(loop_, options_, events, senders_, place);
  const double due = options_.rate / options_.rooms * options_.poll_seconds;
  const auto page =
      static_cast<std::uint32_t>(std::clamp(std::ceil(due * kPageSpare), 1.0, kPageMax));
  return std::make_unique<Poller>(loop_, options_, events, place, page);
}

template <class Done>
void Cost::turn_until(Done done, std::string_view what) {
  const std::int64_t late = now_ns() + nanoseconds(options_.patience_seconds);
  while (!done()) {
    if (now_ns() > late) throw CannotRun(fmt::format("{} took too long", what));
    loop_.turn(kTurnMax);
  }
}

void Cost::begin() {
  const Session::Place place = crowd_.place(0);
  SessionEvents& events = *this;
  writer_ = std::make_unique<Session>(loop_, writer_options_, events, place);
  turn_until([this] { return writer_ready_; }, "the writer's join");
  const std::string text(options_.text_bytes, '.');
  for (std::uint32_t room = 0; room < options_.rooms; ++room) {
    writer_->send(send_frame(room, text, true));
  }
  turn_until([this] { return receipts_ == options_.rooms; }, "the first messages");
}

void Cost::join() {
  const std::uint32_t all = options_.sessions();
  // What polls comes evenly over an interval, and stays as spread as that.
  const std::int64_t begin_ns = now_ns();
  const std::int64_t patience = nanoseconds(options_.patience_seconds);
  std::int64_t last_progress = begin_ns;
  std::uint32_t joined_before = 0;
  while (joined_ < all) {
    const std::int64_t now = now_ns();
    while (users_.size() < all && users_.size() - joined_ < options_.at_once) {
      if (polls() && begin_ns + static_cast<std::int64_t>(users_.size()) * interval_ns() > now) {
        break;
      }
      users_.push_back(carrier(static_cast<std::uint32_t>(users_.size())));
      if (polls()) users_.back()->poll();
    }
    loop_.turn(polls() ? std::min(interval_ns(), kTurnMax) : kTurnMax);
    if (joined_ > joined_before || users_.size() < all) last_progress = now;
    joined_before = joined_;
    if (now - last_progress > patience) {
      throw CannotRun(fmt::format("only {} of {} users could join", joined_, all));
    }
  }
  next_poll_ns_ = std::max(begin_ns + nanoseconds(options_.poll_seconds), now_ns());
  last_beat_tick_ = now_ns() / kBeatTick;
}

// Between one poller's turn and the next one's.
std::int64_t Cost::interval_ns() const {
  return nanoseconds(options_.poll_seconds / options_.sessions());
}

void Cost::hold_until(std::int64_t end_ns) {
  for (std::int64_t now = now_ns(); now < end_ns; now = now_ns()) {
    write_due(now);
    poll_due(now);
    beat(now);
    std::int64_t next = std::min(end_ns, now + kTurnMax);
    if (polls()) next = std::min(next, next_poll_ns_);
    if (writing_ && options_.rate > 0) {
      next = std::min(next,
                      write_begin_ns_ + nanoseconds(static_cast<double>(written_) / options_.rate));
    }
    loop_.turn(std::max<std::int64_t>(next - now, 0));
  }
}

void Cost::write_due(std::int64_t now) {
  while (writing_ && options_.rate > 0) {
    const std::int64_t time =
        write_begin_ns_ + nanoseconds(static_cast<double>(written_) / options_.rate);
    if (time > now) return;
    const auto room = static_cast<std::uint32_t>(written_ % options_.rooms);
    std::string text(options_.text_bytes, '.');
    write_stamp({room, static_cast<std::uint32_t>(written_ / options_.rooms), time}, text.data());
    writer_->send(send_frame(room, text, false));
    ++written_;
  }
}

void Cost::poll_due(std::int64_t now) {
  while (polls() && next_poll_ns_ <= now) {
    if (!users_[polling_from_]->poll()) ++polls_skipped_;
    polling_from_ = (polling_from_ + 1) % options_.sessions();
    next_poll_ns_ += interval_ns();
  }
}

// Each user has his own ticks, a fifth more often than the server wants.
void Cost::beat(std::int64_t now) {
  while (last_beat_tick_ < now / kBeatTick) {
    ++last_beat_tick_;
    for (std::size_t user = 0; user < users_.size(); ++user) {
      const std::int64_t wanted = users_[user]->beats_wanted_ms() * kMillisecond;
      if (wanted == 0) continue;
      const std::int64_t every = std::max<std::int64_t>(wanted / kBeatTick * 4 / 5, 1);
      if ((last_beat_tick_ + static_cast<std::int64_t>(user)) % every == 0) {
        users_[user]->heart_beat();
      }
    }
  }
}

std::string Cost::send_frame(std::uint32_t room, std::string_view text, bool asks_receipt) const {
  const std::string& name = crowd_.place(room * options_.readers).room_name;
  stomp::Headers headers{{"destination", options_.send_to}};
  if (asks_receipt) headers.emplace_back("receipt", "first");
  return stomp::frame("SEND", headers,
                      expand(expand(options_.body, "{room}", name), "{text}", text));
}

Cost::Snapshot Cost::snapshot() const {
  Tally all = senders_.tally();
  for (const auto& user : users_) all = all + user->tally();
  return {Usage::now(server_), all, seen_, polls_skipped_};
}

void Cost::on_joined(std::uint32_t /*user*/) {
  ++joined_;
}

void Cost::on_text(std::uint32_t user, std::string_view text, std::int64_t read_ns) {
  const auto stamp = read_stamp(text);
  if (!stamp || stamp->publisher != crowd_.place(user).room) {
    ++strays_;
    return;
  }
  if (!checks_[user].accept(stamp->sequence, faults_)) return;
  ++seen_;
  last_seen_ns_ = read_ns;
  if (stamp->time_ns >= window_begin_ns_ && stamp->time_ns < window_end_ns_) {
    delays_.record(read_ns - stamp->time_ns);
  }
}

void Cost::on_cut_off(std::uint32_t user, const std::string& why) {
  if (joined_ < options_.sessions()) {
    throw CannotRun(fmt::format("user {} could not join: {}", user, why));
  }
  if (cut_off_++ == 0) first_cut_ = why;
}

void Cost::on_ready(Session& /*session*/) {
  writer_ready_ = true;
}
void Cost::on_message(Session& /*session*/, std::string_view frame) {
  throw CannotRun(fmt::format("the writer was refused: {}", frame));
}
void Cost::on_receipt(Session& /*session*/) {
  ++receipts_;
}
void Cost::on_closed(Session& /*session*/, const std::string& why) {
  throw CannotRun(fmt::format("the writer was cut off: {}", why));
}

}  // namespace load

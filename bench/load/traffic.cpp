#include "traffic.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <limits>

#include "clock.hpp"
#include "stomp.hpp"

namespace load {
namespace {

constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kTurnMax = 20 * kMillisecond;
// After the last expected delivery, so that a repeat can still come.
constexpr std::int64_t kLinger = 200 * kMillisecond;

std::int64_t nanoseconds(double seconds) {
  return static_cast<std::int64_t>(seconds * static_cast<double>(kSecond));
}

}  // namespace

Traffic::Traffic(const Options& options)
    : options_(options),
      server_(options.pid),
      crowd_(loop_, options, options.sessions()),
      checks_(std::size_t{options.sessions()} * options.publishers),
      open_loop_(options.rate > 0) {}

Report Traffic::run() {
  begin();
  drive();

  Report report;
  const Usage spent = end_.usage - begin_.usage;
  const auto deliveries = static_cast<double>(end_.deliveries - begin_.deliveries);
  const double each = std::max(deliveries, 1.0);
  const double seconds = static_cast<double>(spent.time_ns) / static_cast<double>(kSecond);
  report.text("mode", open_loop_ ? "open loop" : "closed loop");
  report.number("sessions", options_.sessions());
  report.number("seconds", seconds, 3);
  report.number("deliveries", deliveries);
  report.number("deliveries_per_second", deliveries / seconds);
  report.number("bytes_per_delivery", static_cast<double>(end_.bytes - begin_.bytes) / each);
  for (const auto& [name, percent] : {std::pair{"latency_p50_us", 50.0},
                                      {"latency_p90_us", 90.0},
                                      {"latency_p99_us", 99.0},
                                      {"latency_p99_9_us", 99.9}}) {
    report.number(name, static_cast<double>(latencies_.percentile_ns(percent)) / 1000, 1);
  }
  report.number("latency_max_us", static_cast<double>(latencies_.max_ns()) / 1000, 1);
  if (open_loop_) {
    const auto last_us = [this](double percent) {
      return static_cast<double>(last_readers_.percentile_ns(percent)) / 1000;
    };
    report.number("messages", static_cast<double>(last_readers_.count()));
    report.number("last_reader_p50_us", last_us(50), 1);
    report.number("last_reader_p99_us", last_us(99), 1);
  }
  report.usage(spent, server_.watches());
  if (server_.watches()) {
    const Memory memory = server_.memory();
    report.number("server_cpu_us_per_delivery",
                  static_cast<double>(spent.server_cpu_ns) / 1000 / each, 3);
    report.number("server_rss_bytes", static_cast<double>(memory.rss_bytes));
    report.number("server_pss_bytes", static_cast<double>(memory.pss_bytes));
  }
  report_faults(report);
  return report;
}

void Traffic::report_faults(Report& report) {
  for (const auto& session : crowd_.sessions()) {
    const Session::Place& place = session->place();
    for (std::uint32_t i = 0; i < options_.publishers; ++i) {
      const std::uint32_t sent = publishers_[place.room * options_.publishers + i].sent;
      faults_.lost += checks_[place.index * options_.publishers + i].missing(sent);
    }
  }
  report.fault("lost", faults_.lost);
  report.fault("repeated", faults_.repeated);
  report.fault("disordered", faults_.disordered);
  report.fault("strays", strays_);
  report.fault("sessions_cut_off", closed_);
  if (closed_ > 0) fmt::print(stderr, "rtc_load: first session cut off: {}\n", first_close_);
}

void Traffic::make_publishers() {
  const std::string filler(options_.text_bytes - kStampBytes, '.');
  const std::string no_stamp(kStampBytes, '-');
  for (std::uint32_t room = 0; room < options_.rooms; ++room) {
    for (std::uint32_t i = 0; i < options_.publishers; ++i) {
      Session* const session = crowd_.sessions()[room * options_.readers + i].get();
      const std::string& name = session->place().room_name;
      stomp::Headers headers{{"destination", expand(options_.send_to, "{room}", name)}};
      if (options_.window == Options::Window::receipt) headers.emplace_back("receipt", "sent");
      const std::string body =
          expand(expand(options_.body, "{room}", name), "{text}", no_stamp + filler);
      std::string frame = stomp::frame("SEND", headers, body);
      const std::size_t stamp_at = frame.rfind(no_stamp + filler);
      publishers_.push_back({session, std::move(frame), stamp_at, 0, 0, {}});
    }
  }
}

void Traffic::begin() {
  crowd_.join(*this);
  make_publishers();
  start_ns_ = now_ns();
  last_delivery_ns_ = start_ns_;
  sending_ = true;
  if (!open_loop_) {
    for (Publisher& publisher : publishers_) refill(publisher);
  }
}

void Traffic::set_window(std::int64_t begin_ns, std::int64_t end_ns) {
  window_begin_ns_ = begin_ns;
  window_end_ns_ = end_ns;
}

void Traffic::finish() {
  sending_ = false;
  const std::int64_t patience = nanoseconds(options_.patience_seconds);
  while (deliveries_ < expected() || now_ns() - last_delivery_ns_ <= kLinger) {
    if (now_ns() - last_delivery_ns_ > patience || closed_ > 0) break;
    loop_.turn(kTurnMax);
  }
}

void Traffic::drive() {
  const bool counted = options_.messages > 0;
  const std::int64_t patience = nanoseconds(options_.patience_seconds);
  const std::int64_t begin_ns = start_ns_ + (counted ? 0 : nanoseconds(options_.warm_up_seconds));
  set_window(begin_ns, counted ? kForever : begin_ns + nanoseconds(options_.seconds));
  bool begun = false;
  bool ended = false;
  while (true) {
    const std::int64_t now = now_ns();
    if (!begun && now >= window_begin_ns_) {
      begin_ = snapshot();
      begun = true;
    }
    if (sending_ && (now >= window_end_ns_ || all_sent())) {
      sending_ = false;
      if (!counted) end_ = snapshot();
      ended = !counted;
    }
    if (!sending_ && deliveries_ >= expected()) {
      if (!ended) end_ = snapshot();
      ended = true;
      if (now - last_delivery_ns_ > kLinger) break;
    }
    if (now - last_delivery_ns_ > patience || closed_ > 0) break;
    loop_.turn(sending_ && open_loop_ ? send_due(now) : kTurnMax);
  }
  if (!ended) end_ = snapshot();
}

bool Traffic::all_sent() const {
  return options_.messages > 0 &&
         std::all_of(publishers_.begin(), publishers_.end(),
                     [this](const Publisher& each) { return each.sent == options_.messages; });
}

std::uint64_t Traffic::expected() const {
  std::uint64_t sent = 0;
  for (const Publisher& publisher : publishers_) sent += publisher.sent;
  return sent * options_.readers;
}

void Traffic::publish(Publisher& publisher, std::int64_t time_ns) {
  const auto index = static_cast<std::uint32_t>(&publisher - publishers_.data());
  write_stamp({index, publisher.sent, time_ns}, publisher.frame.data() + publisher.stamp_at);
  publisher.session->send(publisher.frame);
  ++publisher.sent;
  ++publisher.in_flight;
}

void Traffic::refill(Publisher& publisher) {
  while (sending_ && publisher.in_flight < options_.in_flight &&
         (options_.messages == 0 || publisher.sent < options_.messages)) {
    publish(publisher, now_ns());
  }
}

std::int64_t Traffic::send_due(std::int64_t now) {
  const double interval = static_cast<double>(kSecond) / options_.rate;
  while (true) {
    const std::int64_t time =
        start_ns_ + static_cast<std::int64_t>(static_cast<double>(due_) * interval);
    if (time > now) return std::min(time - now, kTurnMax);
    Publisher& publisher = publishers_[due_ % publishers_.size()];
    if (options_.messages > 0 && publisher.sent == options_.messages) return kTurnMax;
    publish(publisher, time);
    ++due_;
  }
}

Traffic::Publisher* Traffic::publisher_of(const Session& session) {
  const std::uint32_t in_room = session.place().index % options_.readers;
  if (in_room >= options_.publishers) return nullptr;
  return &publishers_[session.place().room * options_.publishers + in_room];
}

Traffic::Snapshot Traffic::snapshot() const {
  return {Usage::now(server_), deliveries_, bytes_};
}

void Traffic::on_ready(Session& /*session*/) {
  crowd_.note_ready();
}

void Traffic::on_message(Session& session, std::string_view frame) {
  const std::size_t at = find_stamp(frame, stamp_hint_);
  if (at == std::string_view::npos) return;  // of another destination, such as a count of people
  stamp_hint_ = at;
  const Session::Place& place = session.place();
  const auto stamp = read_stamp(frame.substr(at));
  if (!stamp || stamp->publisher / options_.publishers != place.room) {
    ++strays_;
    return;
  }
  const std::uint32_t in_room = stamp->publisher % options_.publishers;
  if (!checks_[place.index * options_.publishers + in_room].accept(stamp->sequence, faults_)) {
    return;
  }
  ++deliveries_;
  bytes_ += frame.size();
  last_delivery_ns_ = session.read_ns();
  if (in_window(*stamp)) latencies_.record(session.read_ns() - stamp->time_ns);
  if (open_loop_) note_arrival(*stamp, session.read_ns());
  if (open_loop_ || options_.window != Options::Window::copy ||
      place.index % options_.readers != in_room) {
    return;
  }
  Publisher& publisher = publishers_[stamp->publisher];
  --publisher.in_flight;
  refill(publisher);
}

void Traffic::note_arrival(const Stamp& stamp, std::int64_t read_ns) {
  auto& arrived = publishers_[stamp.publisher].arrived;
  if (arrived.size() <= stamp.sequence) arrived.resize(std::size_t{stamp.sequence} + 1);
  const bool is_last = ++arrived[stamp.sequence] == options_.readers;
  if (is_last && in_window(stamp)) last_readers_.record(read_ns - stamp.time_ns);
}

void Traffic::on_receipt(Session& session) {
  Publisher* const publisher = publisher_of(session);
  if (publisher == nullptr || options_.window != Options::Window::receipt) return;
  --publisher->in_flight;
  if (!open_loop_) refill(*publisher);
}

void Traffic::on_closed(Session& /*session*/, const std::string& why) {
  if (publishers_.empty()) throw CannotRun(why);
  if (closed_++ == 0) first_close_ = why;
}

}  // namespace load

// Traffic: publishers write into rooms, closed loop or open loop, and every delivery is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crowd.hpp"
#include "histogram.hpp"
#include "options.hpp"
#include "process.hpp"
#include "report.hpp"
#include "sequence.hpp"
#include "stamp.hpp"

namespace load {

class Traffic : public SessionEvents {
 public:
  explicit Traffic(const Options& options);
  Report run();

 protected:
  struct Snapshot {
    Usage usage;
    std::uint64_t deliveries = 0;
    std::uint64_t bytes = 0;
  };

  // All join, and the publishers begin.
  void begin();
  // The publishers stop; returns when all is delivered, or when what is missing counts as lost.
  void finish();
  // Latencies are recorded of messages that are sent from `begin_ns` until `end_ns`.
  void set_window(std::int64_t begin_ns, std::int64_t end_ns);
  Histogram take_latencies() { return std::exchange(latencies_, {}); }
  Snapshot snapshot() const;
  // Open loop: sends what is due, and returns how long until more is.
  std::int64_t send_due(std::int64_t now);
  void report_faults(Report& report);

  const Options& options_;
  Loop loop_;
  ProcessWatch server_;
  Crowd crowd_;

 private:
  struct Publisher {
    Session* session;
    std::string frame;  // the whole SEND, but for the stamp
    std::size_t stamp_at;
    std::uint32_t sent;
    std::uint32_t in_flight;
    std::vector<std::uint32_t> arrived;  // open loop: at how many readers, by message
  };

  void on_ready(Session& session) override;
  void on_message(Session& session, std::string_view frame) override;
  void on_receipt(Session& session) override;
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override;

  void make_publishers();
  void drive();
  void publish(Publisher& publisher, std::int64_t time_ns);
  void refill(Publisher& publisher);
  bool all_sent() const;
  std::uint64_t expected() const;
  // Open loop: a reader has it now; the last one's time is recorded.
  void note_arrival(const Stamp& stamp, std::int64_t read_ns);
  bool in_window(const Stamp& stamp) const {
    return stamp.time_ns >= window_begin_ns_ && stamp.time_ns < window_end_ns_;
  }
  Publisher* publisher_of(const Session& session);

  std::vector<Publisher> publishers_;
  std::vector<SequenceCheck> checks_;  // by session, then by publisher of its room
  Faults faults_;
  Histogram latencies_;
  Histogram last_readers_;  // of each message, the latency of whoever got it last
  std::size_t stamp_hint_ = 0;
  bool sending_ = false;
  bool open_loop_;
  std::uint64_t due_ = 0;  // open loop: messages sent so far, by which the next one's time is known
  std::int64_t start_ns_ = 0;
  std::int64_t window_begin_ns_ = 0;
  std::int64_t window_end_ns_ = 0;
  std::int64_t last_delivery_ns_ = 0;
  std::uint64_t deliveries_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t strays_ = 0;  // of another room, or of nobody
  std::uint64_t closed_ = 0;
  std::string first_close_;
  Snapshot begin_;
  Snapshot end_;
};

}  // namespace load

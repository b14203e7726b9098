// What it costs to carry the same chat to its users in one of several ways: rooms of readers, and
// one writer beside them who writes to every room when it is due, by a WebSocket whatever carries
// the rest, so that what differs is the way to the readers alone.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "carrier.hpp"
#include "crowd.hpp"
#include "histogram.hpp"
#include "options.hpp"
#include "process.hpp"
#include "report.hpp"
#include "sequence.hpp"
#include "sockjs.hpp"

namespace load {

class Cost final : public CarrierEvents, private SessionEvents {
 public:
  explicit Cost(const Options& options);
  Report run();

 private:
  struct Snapshot {
    Usage usage;
    Tally tally;
    std::uint64_t seen = 0;
    std::uint64_t polls_skipped = 0;
  };
  // Of all users together, against the time before they came.
  struct Footprint {
    Memory server;
    KernelMemory kernel;
    static Footprint now(const ProcessWatch& server) { return {server.memory(), kernel_memory()}; }
  };

  void on_joined(std::uint32_t user) override;
  void on_text(std::uint32_t user, std::string_view text, std::int64_t read_ns) override;
  void on_cut_off(std::uint32_t user, const std::string& why) override;
  // The writer's.
  void on_ready(Session& session) override;
  void on_message(Session& session, std::string_view frame) override;
  void on_receipt(Session& session) override;
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override;

  bool polls() const { return options_.transport == Options::Transport::poll; }
  // Of the user whose turn to join that is.
  std::unique_ptr<Carrier> carrier(std::uint32_t turn);
  // The writer joins and writes one message to each room: nobody polls an empty page.
  void begin();
  void join();
  void hold_until(std::int64_t end_ns);
  // Turns until `done`; throws CannotRun when that takes longer than the patience.
  template <class Done>
  void turn_until(Done done, std::string_view what);
  void write_due(std::int64_t now);
  void poll_due(std::int64_t now);
  void beat(std::int64_t now);
  // The stamped text in a SEND to that room.
  std::string send_frame(std::uint32_t room, std::string_view text, bool asks_receipt) const;
  std::int64_t interval_ns() const;
  Snapshot snapshot() const;
  void report_footprint(Report& report, const Footprint& before, const Footprint& after) const;

  const Options& options_;
  const Options writer_options_;
  Loop loop_;
  ProcessWatch server_;
  Crowd crowd_;
  SockJsSenders senders_;
  std::uint32_t stride_;
  std::unique_ptr<Session> writer_;
  bool writer_ready_ = false;
  std::uint32_t receipts_ = 0;
  std::vector<std::unique_ptr<Carrier>> users_;
  std::uint32_t joined_ = 0;
  std::uint32_t polling_from_ = 0;  // pollers: the next one whose turn it is
  std::int64_t next_poll_ns_ = 0;
  std::uint64_t polls_skipped_ = 0;
  std::int64_t last_beat_tick_ = 0;

  bool writing_ = false;
  std::int64_t write_begin_ns_ = 0;
  std::uint64_t written_ = 0;
  std::int64_t window_begin_ns_ = 0;
  std::int64_t window_end_ns_ = 0;
  std::vector<SequenceCheck> checks_;  // by user
  Faults faults_;
  Histogram delays_;
  std::uint64_t seen_ = 0;
  std::int64_t last_seen_ns_ = 0;
  std::uint64_t strays_ = 0;
  std::uint64_t cut_off_ = 0;
  std::string first_cut_;
};

}  // namespace load

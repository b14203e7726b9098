// Slow readers: the traffic of a room, in windows without and with two more readers who do not keep
// up, one that stands still and one at 1 KB/s. What do they cost the others?
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "http.hpp"
#include "traffic.hpp"

namespace load {

// The two slow ones. When the server has cut them off for being slow, which they cannot see
// themselves, they come again.
class SlowPair final : public SessionEvents {
 public:
  SlowPair(Loop& loop, const Options& options, const Session::Place& place);

  void join();
  void leave();
  // Reads what is due of 1 KB/s, and comes again after a cut. To be called often.
  void tend();
  bool joined() const { return slow_ == sessions_.size(); }
  std::uint64_t joins() const { return joins_; }
  std::uint64_t cuts() const { return cuts_; }  // the server's count of slow consumers

 private:
  void on_ready(Session& session) override;
  void on_message(Session& /*session*/, std::string_view /*frame*/) override {}
  void on_receipt(Session& /*session*/) override {}
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override;

  Loop& loop_;
  const Options& options_;
  Session::Place place_;
  HttpClient http_;
  std::array<std::unique_ptr<Session>, 2> sessions_;  // stalled; 1 KB/s
  std::size_t slow_ = 0;                              // those that have joined
  bool closed_ = false;                               // one of them, by the server
  std::int64_t next_read_ns_ = 0;
  std::int64_t next_ask_ns_ = 0;
  bool asked_ = false;
  std::uint64_t cuts_ = 0;
  std::uint64_t cuts_at_join_ = 0;
  std::uint64_t joins_ = 0;
};

class SlowReaders final : public Traffic {
 public:
  explicit SlowReaders(const Options& options);
  Report compare();

 private:
  // All windows of a kind.
  struct Side {
    Histogram latencies;
    std::vector<double> p50_ns;  // of each window
    std::vector<double> p99_ns;
    Usage spent;
    std::uint64_t deliveries = 0;
    std::int64_t rss_bytes_max = 0;
  };

  void measure(bool slow);
  void hold_until(std::int64_t end_ns, std::int64_t* rss_bytes_max);
  void report_side(Report& report, const Side& side, const std::string& suffix) const;

  std::array<Side, 2> sides_;  // without, with
  SlowPair pair_;
};

}  // namespace load

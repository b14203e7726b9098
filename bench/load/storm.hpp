// A storm: while some talk, many more come at once, as all come back when a network or a proxy
// does. How soon are all in, and what do those notice who were?
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "traffic.hpp"

namespace load {

// Those who come: all open their connections in one moment, each with an identity of its own, to
// rooms where nobody talks.
class Newcomers final : public SessionEvents {
 public:
  Newcomers(Loop& loop, const Options& options);

  // Opens what is not open yet, some of it in each turn, so that those who talk are read meanwhile.
  void come();
  bool all_in() const { return ready_ + closed_ == options_.newcomers; }
  std::size_t ready() const { return ready_; }
  std::size_t closed() const { return closed_; }
  std::int64_t last_change_ns() const { return last_change_ns_; }
  // After which share of them were in, 0 to 100 %.
  std::int64_t joined_ns(double percent) const;

 private:
  void on_ready(Session& session) override;
  void on_message(Session& /*session*/, std::string_view /*frame*/) override {}
  void on_receipt(Session& /*session*/) override {}
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override;

  Options options_;  // their number, and rooms of their own
  Loop& loop_;
  Crowd places_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::vector<std::int64_t> joins_ns_;  // since the first of them knocked, in order
  std::int64_t begin_ns_ = 0;
  std::int64_t last_change_ns_ = 0;
  std::size_t ready_ = 0;
  std::size_t closed_ = 0;
};

class Storm final : public Traffic {
 public:
  explicit Storm(const Options& options);
  Report run();

 private:
  // Latencies of what is sent until `end_ns`, or, with kAllIn, until all newcomers have come.
  Histogram talk_until(std::int64_t end_ns);

  Newcomers newcomers_;
};

}  // namespace load

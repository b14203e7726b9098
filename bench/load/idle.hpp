// Idle: sessions that are connected and subscribed, heart-beats and nothing else. What does one
// cost the server?
#pragma once

#include <cstdint>
#include <string>

#include "crowd.hpp"
#include "options.hpp"
#include "process.hpp"
#include "report.hpp"

namespace load {

class Idle final : public SessionEvents {
 public:
  explicit Idle(const Options& options);
  Report run();

 private:
  void on_ready(Session& session) override;
  void on_message(Session& session, std::string_view frame) override;
  void on_receipt(Session& /*session*/) override {}
  void on_heart_beat() override { ++beats_; }
  void on_closed(Session& session, const std::string& why) override;

  // Turns for that long, heart-beating for all who agreed to.
  void hold(double seconds);

  const Options& options_;
  Loop loop_;
  ProcessWatch server_;
  Crowd crowd_;
  std::uint64_t beats_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;  // of their frames
  bool joined_ = false;
  std::uint64_t closed_ = 0;
};

}  // namespace load

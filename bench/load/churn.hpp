// Churn: connect, upgrade, CONNECT, SUBSCRIBE, leave, over and over. What does a visit cost?
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "crowd.hpp"
#include "options.hpp"
#include "process.hpp"
#include "report.hpp"

namespace load {

class Churn final : public SessionEvents {
 public:
  explicit Churn(const Options& options);
  Report run();

 private:
  void on_ready(Session& session) override { session.leave(); }
  void on_message(Session& /*session*/, std::string_view /*frame*/) override {}
  void on_receipt(Session& /*session*/) override {}
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override;

  // Visits until then; new ones take the places of those who left.
  void visit_until(std::int64_t end_ns);

  const Options& options_;
  Loop loop_;
  ProcessWatch server_;
  Crowd crowd_;
  std::vector<std::unique_ptr<Session>> visitors_;
  std::vector<std::uint32_t> left_;  // whose place is free
  std::int64_t interval_ns_;         // between two visits, where a rate is given
  std::int64_t next_visit_ns_ = 0;
  std::uint64_t visits_ = 0;
  std::uint64_t failures_ = 0;
  std::string first_failure_;
};

}  // namespace load

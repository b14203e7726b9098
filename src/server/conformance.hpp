// The conformance profile (setting `conformance`): what public test suites ask a server for. Never
// part of a server for people. The loop's thread only.
#pragma once

#include <string>
#include <vector>

#include "base/config.hpp"
#include "server/application.hpp"
#include "server/sockjs_service.hpp"

namespace rtc::server {

// Sends every message back.
class EchoApplication final : public Application {
 public:
  explicit EchoApplication(SessionOutput& output) : output_(output) {}
  void on_bytes(std::string_view bytes) override { message_ += bytes; }
  void on_message_end() override;
  void end_slow() override;

 private:
  SessionOutput& output_;
  std::string message_;  // bounded by the transport's longest message
};

// Ends as soon as it is open.
class ClosingApplication final : public Application {
 public:
  explicit ClosingApplication(SessionOutput& output) : output_(output) {}
  void on_open() override;
  void on_bytes(std::string_view /*bytes*/) override {}
  void end_slow() override {}

 private:
  SessionOutput& output_;
};

// The end points that sockjs-protocol's own tests (0.3.3) talk to.
std::vector<SockJsService> sockjs_conformance_services();

}  // namespace rtc::server

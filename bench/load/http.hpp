// Blocking HTTP requests over one kept connection: what is asked for before a load begins.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "options.hpp"

namespace load {

// A TCP socket with TCP_NODELAY, connected, or, if it is not to wait for that, non-blocking and
// maybe still connecting; throws CannotRun.
int connect_to(const Options& options, bool waits = true);

class HttpClient {
 public:
  explicit HttpClient(const Options& options);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // A new identity's token, from GET /init.
  std::string new_token();
  // A new open room's id, from POST /chatroom.
  std::string new_room(std::string_view name, std::string_view token, bool history);

  // Without blocking: asks for /metrics; then, until it gives something, the answer.
  void ask_metrics();
  std::optional<std::string> metrics();

 private:
  std::string exchange(const std::string& request);
  void ask(const std::string& request);
  // Reads once; whether the answer is whole.
  bool read_answer(int flags);
  std::string body() const;

  std::string host_;
  int fd_;
  std::string answer_;
};

}  // namespace load

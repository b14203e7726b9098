// A real redis-server of a test's own, on a free port; it ends with the test's process.
#pragma once

#include <arpa/inet.h>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>
#include <memory>
#include <netinet/in.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "relay/redis_url.hpp"

namespace rtc::relay::test {

class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> options = {}) : options_(std::move(options)) {
    char name[] = "/tmp/rtc-redis-XXXXXX";
    directory_ = ::mkdtemp(name);
    port_ = free_port();
    start();
  }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() {
    if (pid_ > 0) kill();
    std::filesystem::remove_all(directory_);
  }

  std::uint16_t port() const { return port_; }
  RedisAddress address() const {
    RedisAddress address;
    address.hosts = {{"127.0.0.1", port_}};
    return address;
  }
  void signal(int number) const { ::kill(pid_, number); }
  void kill() {
    signal(SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  // On the same port; returns when it answers.
  void start() {
    const std::string port = std::to_string(port_);
    std::vector<std::string> words{
        "redis-server", "--port", port,    "--bind",   "127.0.0.1",  "--save", "",
        "--appendonly", "no",     "--dir", directory_, "--loglevel", "warning"};
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!answers()) {
      ASSERT_EQ(::waitpid(pid_, nullptr, WNOHANG), 0) << "redis-server ended; is it installed?";
      ASSERT_LT(std::chrono::steady_clock::now(), deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  // The answer as text, a number too; what cannot be asked is "".
  std::string ask(const std::vector<std::string>& words) const {
    const std::unique_ptr<redisContext, void (*)(redisContext*)> context(
        ::redisConnect("127.0.0.1", port_), ::redisFree);
    if (context == nullptr || context->err != 0) return "";
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string& word : words) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    auto* const reply = static_cast<redisReply*>(::redisCommandArgv(
        context.get(), static_cast<int>(words.size()), texts.data(), sizes.data()));
    if (reply == nullptr) return "";
    std::string text = reply->type == REDIS_REPLY_INTEGER ? std::to_string(reply->integer)
                       : reply->str != nullptr            ? std::string(reply->str, reply->len)
                                                          : "";
    ::freeReplyObject(reply);
    return text;
  }

  // Below those that the kernel gives to outgoing connections: whoever tries to reach a server that
  // was killed may be given its port, and is connected to himself. Each process has some of its
  // own.
  static std::uint16_t free_port() {
    constexpr int kFirst = 10'000;
    constexpr int kProcesses = 1'000;
    constexpr int kEach = 20;
    static std::atomic<int> next = 0;  // who asks twice before he listens gets two
    for (int tries = 0; tries < kEach; ++tries) {
      const int n = next++ % kEach;
      const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port =
          htons(static_cast<std::uint16_t>(kFirst + ::getpid() % kProcesses * kEach + n));
      const bool free = ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
      ::close(fd);
      if (free) return ntohs(address.sin_port);
    }
    ADD_FAILURE() << "no free port";
    return 0;
  }

 private:
  bool answers() const {
    const std::string answer = ask({"PING"});
    return answer == "PONG" || answer.starts_with("NOAUTH");
  }

  std::vector<std::string> options_;
  std::string directory_;
  std::uint16_t port_ = 0;
  pid_t pid_ = 0;
};

}  // namespace rtc::relay::test

#include "http.hpp"

#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace load {
namespace {

constexpr std::string_view kEnd = "\r\n\r\n";  // of a head

// The first string of that name in a JSON text that needs no unescaping.
std::string json_text(std::string_view json, std::string_view name) {
  const std::string key = fmt::format("\"{}\":\"", name);
  const std::size_t begin = json.find(key);
  if (begin == std::string_view::npos) {
    throw CannotRun(fmt::format("no \"{}\" in the server's answer: {}", name, json));
  }
  const std::string_view rest = json.substr(begin + key.size());
  return std::string(rest.substr(0, rest.find('"')));
}

sockaddr_storage resolve(const Options& options) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(options.port);
  if (::getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found) != 0) {
    throw CannotRun(fmt::format("there is no host {}", options.host));
  }
  sockaddr_storage address{};
  std::memcpy(&address, found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

// The port is chosen at the connect, so that the same one may lead to another server too.
void bind_to_next(int fd, const std::vector<std::string>& from) {
  static std::size_t next = 0;
  const std::string& text = from[next++ % from.size()];
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (::inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1 ||
      ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd);
    throw CannotRun(fmt::format("cannot connect from {}", text));
  }
}

}  // namespace

int connect_to(const Options& options, bool waits) {
  static const sockaddr_storage address = resolve(options);  // looking up is dear, a run has one
  const int type = SOCK_STREAM | SOCK_CLOEXEC | (waits ? 0 : SOCK_NONBLOCK);
  const int fd = ::socket(address.ss_family, type, 0);
  if (fd >= 0 && !options.from.empty()) bind_to_next(fd, options.from);
  const socklen_t size = address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  const bool begun =
      fd >= 0 && (::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 ||
                  (!waits && errno == EINPROGRESS));
  if (!begun) {
    if (fd >= 0) ::close(fd);
    throw CannotRun(fmt::format("cannot connect to {}:{}", options.host, options.port));
  }
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  return fd;
}

HttpClient::HttpClient(const Options& options)
    : host_(fmt::format("{}:{}", options.host, options.port)), fd_(connect_to(options)) {}
HttpClient::~HttpClient() {
  ::close(fd_);
}

std::string HttpClient::new_token() {
  return json_text(exchange(fmt::format("GET /init HTTP/1.1\r\nHost: {}\r\n\r\n", host_)),
                   "response");
}

std::string HttpClient::new_room(std::string_view name, std::string_view token, bool history) {
  const std::string body = fmt::format(R"({{"name":"{}","history":{}}})", name, history);
  return json_text(
      exchange(fmt::format("POST /chatroom HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n"
                           "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                           host_, token, body.size(), body)),
      "roomId");
}

void HttpClient::ask_metrics() {
  ask(fmt::format("GET /metrics HTTP/1.1\r\nHost: {}\r\n\r\n", host_));
}

std::optional<std::string> HttpClient::metrics() {
  if (!read_answer(MSG_DONTWAIT)) return std::nullopt;
  return body();
}

std::string HttpClient::exchange(const std::string& request) {
  ask(request);
  while (!read_answer(0)) {
  }
  return body();
}

void HttpClient::ask(const std::string& request) {
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw CannotRun("the server closed an HTTP connection");
  }
  answer_.clear();
}

bool HttpClient::read_answer(int flags) {
  constexpr std::string_view kLength = "content-length:";
  char buffer[16384];
  const ssize_t count = ::recv(fd_, buffer, sizeof buffer, flags);
  if (count < 0 && errno == EAGAIN) return false;
  if (count <= 0) throw CannotRun("the server closed an HTTP connection");
  answer_.append(buffer, static_cast<std::size_t>(count));
  const std::size_t end = answer_.find(kEnd);
  if (end == std::string::npos) return false;
  std::string head = answer_.substr(0, end);
  for (char& letter : head) letter = static_cast<char>(std::tolower(letter));
  const std::size_t at = head.find(kLength);
  if (at == std::string::npos) throw CannotRun("an HTTP answer without Content-Length");
  return answer_.size() >= end + kEnd.size() + std::stoul(head.substr(at + kLength.size()));
}

std::string HttpClient::body() const {
  return answer_.substr(answer_.find(kEnd) + kEnd.size());
}

}  // namespace load

#include "http.hpp"

#include <cstring>
#include <fmt/core.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace load {
namespace {

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

}  // namespace

int connect_to(const Options& options) {
  static const sockaddr_storage address = resolve(options);  // looking up is dear, a run has one
  const int fd = ::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const socklen_t size = address.ss_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
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

std::string HttpClient::new_room(std::string_view name, std::string_view token) {
  const std::string body = fmt::format(R"({{"name":"{}"}})", name);
  return json_text(
      exchange(fmt::format("POST /chatroom HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n"
                           "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                           host_, token, body.size(), body)),
      "roomId");
}

std::string HttpClient::exchange(const std::string& request) {
  constexpr std::string_view kEnd = "\r\n\r\n";
  constexpr std::string_view kLength = "content-length:";
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(request.size())) {
    throw CannotRun("the server closed an HTTP connection");
  }
  std::string answer;
  std::size_t wanted = std::string::npos;
  while (answer.size() < wanted) {
    char buffer[4096];
    const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) throw CannotRun("the server closed an HTTP connection");
    answer.append(buffer, static_cast<std::size_t>(count));
    const std::size_t end = answer.find(kEnd);
    if (end == std::string::npos) continue;
    std::string head = answer.substr(0, end);
    for (char& letter : head) letter = static_cast<char>(std::tolower(letter));
    const std::size_t at = head.find(kLength);
    if (at == std::string::npos) throw CannotRun("an HTTP answer without Content-Length");
    wanted = end + kEnd.size() + std::stoul(head.substr(at + kLength.size()));
  }
  return answer.substr(answer.find(kEnd) + kEnd.size());
}

}  // namespace load

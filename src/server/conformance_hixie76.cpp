#include "server/conformance_hixie76.hpp"

#include <algorithm>
#include <array>
#include <openssl/evp.h>

#include "server/services.hpp"

namespace rtc::server {
namespace {

constexpr std::size_t kChallengeBytes = 4 + 4 + 8;

// Draft 76, section 5.2: the digits of a key as a number, divided by the number of its spaces.
void append_key_number(std::string& out, std::string_view key) {
  std::uint64_t number = 0;
  std::uint64_t spaces = 0;
  for (const char c : key) {
    if (c >= '0' && c <= '9') number = number * 10 + static_cast<std::uint64_t>(c - '0');
    if (c == ' ') ++spaces;
  }
  if (spaces > 0) number /= spaces;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

}  // namespace

bool Hixie76Handshake::asked(const http::Request& request) {
  return !request.header("Sec-WebSocket-Key1").empty() &&
         !request.header("Sec-WebSocket-Key2").empty();
}

Hixie76Handshake::Hixie76Handshake(net::Connection& connection, const http::Request& request,
                                   Totals& totals, bool exempt)
    : totals_(totals), exempt_(exempt) {
  append_key_number(challenge_, request.header("Sec-WebSocket-Key1"));
  append_key_number(challenge_, request.header("Sec-WebSocket-Key2"));
  std::string answer =
      "HTTP/1.1 101 WebSocket Protocol Handshake\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n";
  answer.append("Sec-WebSocket-Origin: ").append(request.header("Origin"));
  answer.append("\r\nSec-WebSocket-Location: ws://").append(request.header("Host"));
  answer.append(request.target).append("\r\n\r\n");
  connection.send(answer);
}

std::size_t Hixie76Handshake::on_input(net::Connection& connection, std::span<char> bytes) {
  const std::size_t taken = std::min(bytes.size(), kChallengeBytes - challenge_.size());
  challenge_.append(bytes.data(), taken);
  if (challenge_.size() < kChallengeBytes) return taken;
  std::array<char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (EVP_Digest(challenge_.data(), challenge_.size(),
                 reinterpret_cast<unsigned char*>(digest.data()), &size, EVP_md5(), nullptr) == 1) {
    connection.send(std::string_view(digest.data(), size));
  }
  connection.close_after_flush();
  return bytes.size();
}

void Hixie76Handshake::on_closed(net::Connection& connection, net::CloseReason /*reason*/) {
  totals_.release(connection.client(), exempt_);
}

}  // namespace rtc::server

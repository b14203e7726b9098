// Any request for an upgrade is answered or refused, and an answer agrees to nothing that was not
// asked for; what is asked for together is agreed to as it is apart.
// Input: one byte for the method and the HTTP version, then six lines: the values of Upgrade,
// Connection, Sec-WebSocket-Key, -Version, -Protocol and -Extensions.
#include <algorithm>
#include <array>
#include <cstdint>

#include "require.hpp"
#include "websocket/handshake.hpp"

namespace {

using rtc::fuzz::require;
using rtc::websocket::Deflate;
using rtc::websocket::ExtensionAnswer;

constexpr std::array<std::string_view, 3> kProtocols{"v12.stomp", "v11.stomp", "v10.stomp"};
constexpr std::array<std::string_view, 4> kMethods{"GET", "GET", "POST", "get"};

std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  return line;
}

// An answer is an offer that would be taken as it is: it says what holds, in the offers' grammar.
void check_extensions(const ExtensionAnswer& answer, std::string_view offers) {
  require(answer.header.empty() == (answer.deflate == Deflate::off), "an extension has a header");
  if (answer.header.empty()) return;
  require(offers.find("permessage-deflate") != offers.npos, "what is agreed to was offered");
  for (const std::string_view name : {"server_max_window_bits", "client_max_window_bits"}) {
    require(answer.header.find(name) == answer.header.npos || offers.find(name) != offers.npos,
            "a window is bounded only where that was asked for");
  }
  const auto again = rtc::websocket::agree_extensions(answer.header);
  require(again && again->deflate == answer.deflate, "an answer means what was agreed");
  const auto behind = rtc::websocket::agree_extensions("other; a=1, " + std::string(offers));
  require(behind && behind->header == answer.header, "an unknown offer is passed over");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  rtc::websocket::UpgradeRequest request;
  request.method = kMethods[data[0] % kMethods.size()];
  request.http_version = data[0] % 16 == 15 ? 10 : 11;
  for (auto member :
       {&rtc::websocket::UpgradeRequest::upgrade, &rtc::websocket::UpgradeRequest::connection,
        &rtc::websocket::UpgradeRequest::key, &rtc::websocket::UpgradeRequest::version,
        &rtc::websocket::UpgradeRequest::protocol, &rtc::websocket::UpgradeRequest::extensions}) {
    request.*member = take_line(rest);
  }

  rtc::websocket::UpgradeAnswer answer;
  rtc::websocket::Refusal refusal;
  if (!rtc::websocket::accept_upgrade(request, kProtocols, answer, refusal)) {
    require(!refusal.error.message.empty(), "refusals tell");
    require(!refusal.wrong_version || request.version != "13", "only a version may be wrong");
    return 0;
  }
  require(request.method == "GET" && request.http_version == 11, "only GET of HTTP/1.1 upgrades");
  require(rtc::websocket::wants_websocket(request.upgrade), "WebSocket was asked for");
  require(request.version == "13", "one version is spoken");
  require(answer.accept.size() == 28 && answer.accept.back() == '=', "a digest in base64");
  require(answer.accept == rtc::websocket::accept_key(request.key), "the key's digest");
  require(
      answer.protocol.empty() || request.protocol.find(answer.protocol) != std::string_view::npos,
      "the subprotocol was offered");
  check_extensions(answer.extensions, request.extensions);
  return 0;
}

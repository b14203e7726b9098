#include "websocket/handshake.hpp"

#include <gtest/gtest.h>

namespace rtc::websocket {
namespace {

constexpr std::string_view kSupported[] = {"v12.stomp", "v11.stomp", "v10.stomp"};

UpgradeRequest good_request() {
  UpgradeRequest request;
  request.method = "GET";
  request.upgrade = "websocket";
  request.connection = "Upgrade";
  request.key = "dGhlIHNhbXBsZSBub25jZQ==";
  request.version = "13";
  return request;
}

TEST(Handshake, AnswersTheSampleOfTheRfc) {
  EXPECT_EQ(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  UpgradeAnswer answer;
  Refusal refusal;
  ASSERT_TRUE(accept_upgrade(good_request(), kSupported, answer, refusal));
  EXPECT_EQ(answer.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(answer.protocol, "");
}

TEST(Handshake, SeesWhoWantsWebSocket) {
  for (const char* header : {"websocket", "WebSocket", "h2c, websocket", " websocket "}) {
    EXPECT_TRUE(wants_websocket(header)) << header;
  }
  for (const char* header : {"", "h2c", "websockets", "web socket"}) {
    EXPECT_FALSE(wants_websocket(header)) << header;
  }
}

TEST(Handshake, ChoosesTheProtocolInOurOrder) {
  const std::pair<const char*, const char*> cases[] = {
      {"v10.stomp, v11.stomp, v12.stomp", "v12.stomp"},
      {"v10.stomp,v11.stomp", "v11.stomp"},
      {"mqtt, v10.stomp", "v10.stomp"},
      {"mqtt", ""},
      {"V12.STOMP", ""},
      {",, v11.stomp ,", "v11.stomp"},
      {"", ""},
  };
  for (const auto& [offered, chosen] : cases) {
    UpgradeRequest request = good_request();
    request.protocol = offered;
    UpgradeAnswer answer{.accept = {}, .protocol = "stale"};
    Refusal refusal;
    ASSERT_TRUE(accept_upgrade(request, kSupported, answer, refusal));
    EXPECT_EQ(answer.protocol, chosen) << offered;
  }
}

TEST(Handshake, TakesLooserSpellings) {
  UpgradeRequest request = good_request();
  request.upgrade = "WebSocket";
  request.connection = "keep-alive, upgrade";
  UpgradeAnswer answer;
  Refusal refusal;
  EXPECT_TRUE(accept_upgrade(request, {}, answer, refusal));
}

TEST(Handshake, RefusesAndNamesWhatIsAtFault) {
  struct Case {
    const char* fault;  // a word of the message
    void (*spoil)(UpgradeRequest&);
    ErrorCode code = ErrorCode::invalid_parameter;
    bool wrong_version = false;
  };
  const Case cases[] = {
      {"GET", [](UpgradeRequest& r) { r.method = "POST"; }, ErrorCode::method_not_allowed},
      {"GET", [](UpgradeRequest& r) { r.method = "get"; }, ErrorCode::method_not_allowed},
      {"HTTP", [](UpgradeRequest& r) { r.http_version = 10; }},
      {"Upgrade", [](UpgradeRequest& r) { r.upgrade = ""; }},
      {"Connection", [](UpgradeRequest& r) { r.connection = "keep-alive"; }},
      {"Connection", [](UpgradeRequest& r) { r.connection = ""; }},
      {"Sec-WebSocket-Version", [](UpgradeRequest& r) { r.version = "8"; },
       ErrorCode::invalid_parameter, true},
      {"Sec-WebSocket-Version", [](UpgradeRequest& r) { r.version = ""; },
       ErrorCode::invalid_parameter, true},
      {"Sec-WebSocket-Key", [](UpgradeRequest& r) { r.key = ""; }},
      {"Sec-WebSocket-Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25jZQ="; }},
      {"Sec-WebSocket-Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25jZQA="; }},
      {"Sec-WebSocket-Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25j*Q=="; }},
      {"Sec-WebSocket-Key", [](UpgradeRequest& r) { r.key = "dGhlIHNhbXBsZSBub25jZQ==AAAA"; }},
  };
  for (const Case& c : cases) {
    UpgradeRequest request = good_request();
    c.spoil(request);
    UpgradeAnswer answer;
    Refusal refusal;
    EXPECT_FALSE(accept_upgrade(request, kSupported, answer, refusal)) << c.fault;
    EXPECT_EQ(refusal.error.code, c.code) << c.fault;
    EXPECT_EQ(refusal.wrong_version, c.wrong_version) << c.fault;
    EXPECT_NE(refusal.error.message.find(c.fault), std::string::npos) << refusal.error.message;
  }
}

}  // namespace
}  // namespace rtc::websocket

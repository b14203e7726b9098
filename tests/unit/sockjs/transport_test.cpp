#include "sockjs/transport.hpp"

#include <gtest/gtest.h>

namespace rtc::sockjs {
namespace {

TEST(SockjsTransport, IsNamedByTheLastSegment) {
  EXPECT_EQ(parse_transport("xhr_streaming"), Transport::xhr_streaming);
  EXPECT_EQ(parse_transport("jsonp_send"), Transport::jsonp_send);
  for (const std::string_view name : {"", "XHR", "xhr ", "xhr_", "polling"}) {
    EXPECT_FALSE(parse_transport(name)) << name;
  }
}

TEST(SockjsTransport, PutsAFrameIntoTheBody) {
  constexpr std::string_view kFrame = R"(a["say \"hi\" </script>"])";
  EXPECT_EQ(in_body(Transport::xhr, kFrame, ""), std::string(kFrame) + "\n");
  EXPECT_EQ(in_body(Transport::xhr_streaming, kFrame, ""), std::string(kFrame) + "\n");
  EXPECT_EQ(in_body(Transport::eventsource, kFrame, ""),
            "data: " + std::string(kFrame) + "\r\n\r\n");
  constexpr std::string_view kString = R"("a[\"say \\\"hi\\\" \u003c/script>\"]")";
  EXPECT_EQ(in_body(Transport::jsonp, kFrame, "c.b"), "/**/c.b(" + std::string(kString) + ");\r\n");
  EXPECT_EQ(in_body(Transport::htmlfile, kFrame, "cb"),
            "<script>\np(" + std::string(kString) + ");\n</script>\r\n");
}

TEST(SockjsTransport, BeginsAStreamSoThatBrowsersHandItOn) {
  EXPECT_EQ(prelude(Transport::xhr_streaming, ""), std::string(2048, 'h') + "\n");
  EXPECT_EQ(prelude(Transport::eventsource, ""), "\r\n");
  const std::string page = prelude(Transport::htmlfile, "cb");
  EXPECT_GT(page.size(), 1024U);
  EXPECT_NE(page.find("var c = parent.cb;"), std::string::npos);
  EXPECT_TRUE(page.ends_with("\r\n\r\n"));
}

TEST(SockjsTransport, CallbacksAreNames) {
  for (const std::string_view name : {"a", "_jp.a0-b", "Z9"}) EXPECT_TRUE(is_callback(name));
  for (const std::string_view name : {"", " ", "*", "a(", "a<b", "a;b", "가"}) {
    EXPECT_FALSE(is_callback(name)) << name;
  }
}

TEST(SockjsTransport, TakesThePayloadOutOfAForm) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded; charset=UTF-8";
  const auto form = [&](std::string_view body) { return form_payload(kForm, body); };
  EXPECT_EQ(form("d=%5B%22x%22%5D"), "[\"x\"]");
  EXPECT_EQ(form("a=b&d=1+%2B+%ea&e=f"), "1 + \xEA");
  EXPECT_EQ(form("d=%"), "%");
  EXPECT_EQ(form("d=%2"), "%2");
  EXPECT_EQ(form("d=%zz%41"), "%zzA");
  for (const std::string_view none : {"", "d", "d=", "p=p", "dd=x", "&&", "a=d=x"}) {
    EXPECT_EQ(form(none), "") << none;
  }
  for (const char* type :
       {"Application/X-WWW-Form-Urlencoded", "APPLICATION/x-www-form-urlencoded; charset=UTF-8"}) {
    EXPECT_EQ(form_payload(type, "d=%61bc"), "abc") << type;
  }
  EXPECT_EQ(form_payload("application/x-www-form", "d=a"), "d=a");
  EXPECT_EQ(form_payload("text/plain", "[\"%61bc\"]"), "[\"%61bc\"]");
}

TEST(SockjsTransport, KnowsTheIframesPaths) {
  for (const std::string_view path : {"/iframe.html", "/iframe-.html", "/iframe-1.6.1.html",
                                      "/iframe-0.1.2abc-dirty.2144.html"}) {
    EXPECT_TRUE(is_iframe_path(path)) << path;
  }
  for (const std::string_view path :
       {"", "/", "/iframe", "/iframe.htm", "/iframe.xml", "/iframe.HTML", "/IFRAME.html",
        "/iframe-/.html", "/iframex.html", "iframe.html"}) {
    EXPECT_FALSE(is_iframe_path(path)) << path;
  }
}

}  // namespace
}  // namespace rtc::sockjs

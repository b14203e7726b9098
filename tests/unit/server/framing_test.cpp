#include "server/framing.hpp"

#include <gtest/gtest.h>
#include <string>

namespace rtc::server {
namespace {

TEST(AppendFramed, IsOneTextMessage) {
  std::string out = "before";
  append_framed(out, Framing::websocket, "RECEIPT");
  EXPECT_EQ(out, "before\x81\x07RECEIPT");
  append_framed(out, Framing::websocket, "\n");
  EXPECT_EQ(out, "before\x81\x07RECEIPT\x81\x01\n");
}

TEST(AppendFramed, IsASockJsArrayInOneTextMessage) {
  std::string out;
  append_framed(out, Framing::sockjs, std::string("A\n\n\0", 4));
  EXPECT_EQ(out, std::string("\x81\x10") + R"(a["A\n\n\u0000"])");
}

// A frame in two parts is the same bytes as in one, in every framing.
TEST(AppendFramed, HeadAndTailMakeTheWhole) {
  const std::string head = "MESSAGE\nid:1\n\n";
  for (const std::string& body : {std::string("{}"), "\"가👋\" " + std::string(3000, 'x')}) {
    for (const Framing framing :
         {Framing::websocket, Framing::sockjs, Framing::sockjs_http, Framing::bare}) {
      std::string whole;
      append_framed(whole, framing, head + body + '\0');
      const std::string tail = framed_tail(framing, body);
      std::string parts;
      append_framed_head(parts, framing, head, tail.size());
      EXPECT_EQ(parts + tail, whole);
    }
  }
}

TEST(AppendFramed, OverHttpElementsStandBehindEachOther) {
  std::string out;
  append_framed(out, Framing::sockjs_http, "\n");
  append_framed(out, Framing::sockjs_http, std::string("A\n\n\0", 4));
  EXPECT_EQ(out, R"("\n","A\n\n\u0000",)");
}

TEST(AppendFramed, OverTcpIsTheFrameItself) {
  std::string out = "before";
  append_framed(out, Framing::bare, std::string("A\n\nb\0", 5));
  append_framed(out, Framing::bare, "\n");
  EXPECT_EQ(out, std::string("beforeA\n\nb\0\n", 12));
}

TEST(AppendFramed, LongOnesHaveLongLengths) {
  std::string out;
  append_framed(out, Framing::websocket, std::string(200, 'x'));
  EXPECT_EQ(out.substr(0, 4), std::string("\x81\x7E\x00\xC8", 4));
  EXPECT_EQ(out.size(), 204U);
}

}  // namespace
}  // namespace rtc::server

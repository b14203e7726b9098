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

TEST(AppendFramed, LongOnesHaveLongLengths) {
  std::string out;
  append_framed(out, Framing::websocket, std::string(200, 'x'));
  EXPECT_EQ(out.substr(0, 4), std::string("\x81\x7E\x00\xC8", 4));
  EXPECT_EQ(out.size(), 204U);
}

}  // namespace
}  // namespace rtc::server

// A room's message as bytes: plain and compressed, and what is shared.
#include "server/room_message.hpp"

#include <gtest/gtest.h>

#include "server/envelope.hpp"
#include "websocket/encoder.hpp"

namespace rtc::server {
namespace {

using websocket::Deflate;

class RoomMessageTest : public testing::Test {
 protected:
  chat::Message message(std::size_t text_bytes) {
    chat::Message made;
    made.id = 7;
    made.text.assign(text_bytes, 'x');
    return made;
  }
  static Variant variant(std::string id, Deflate deflate, Framing framing = Framing::websocket) {
    return {std::move(id), stomp::Version::v1_2, framing, deflate};
  }

  websocket::Deflater deflater_;
  RoomMessage whole_{{"epoch", "live", {deflater_, 512}}};
};

TEST_F(RoomMessageTest, IsCompressedOnceForAllWhoShareTheFraming) {
  const chat::Message sent = message(2000);
  whole_.begin(sent);
  const std::string_view one = whole_.tail(variant("a", Deflate::full_window));
  const std::string_view other = whole_.tail(variant("b", Deflate::full_window));
  EXPECT_EQ(one.data(), other.data());
  EXPECT_LT(one.size(), 500U);
  const std::string_view plain = whole_.tail(variant("a", Deflate::off));
  EXPECT_GT(plain.size(), 2000U);
  EXPECT_NE(whole_.tail(variant("a", Deflate::small_window)).data(), one.data());
}

TEST_F(RoomMessageTest, IsSentAsItIsWhenItIsShort) {
  const chat::Message sent = message(20);
  whole_.begin(sent);
  EXPECT_EQ(whole_.tail(variant("a", Deflate::full_window)).data(),
            whole_.tail(variant("a", Deflate::off)).data());
}

// Head and tail make one compressed message, in each framing.
TEST_F(RoomMessageTest, InflatesToWhatOthersGetPlain) {
  for (const Framing framing : {Framing::websocket, Framing::sockjs}) {
    for (const Deflate deflate : {Deflate::full_window, Deflate::small_window}) {
      const chat::Message sent = message(2000);
      whole_.begin(sent);
      const std::string head = "MESSAGE\nid:7\n\n";
      const std::string_view tail = whole_.tail(variant("", deflate, framing));
      std::string frame;
      append_framed_head(frame, framing, head, tail.size(), true);
      frame += tail;
      EXPECT_EQ(static_cast<std::uint8_t>(frame[0]), 0xC1);
      const std::size_t payload_bytes =
          (static_cast<std::uint8_t>(frame[2]) << 8) +
          static_cast<std::size_t>(static_cast<std::uint8_t>(frame[3]));
      ASSERT_EQ(static_cast<std::uint8_t>(frame[1]), 126);
      ASSERT_EQ(frame.size(), 4 + payload_bytes);

      std::string plain;
      std::string plain_frame = head;
      append_message_json(plain_frame, sent);
      plain_frame.push_back('\0');
      append_framed(plain, framing, plain_frame);
      websocket::Inflater inflater;
      inflater.begin(std::span<const char>(frame).subspan(4));
      const auto stretch = inflater.next();
      ASSERT_TRUE(stretch.end);
      EXPECT_EQ(std::string(stretch.bytes.begin(), stretch.bytes.end()), plain.substr(4));
    }
  }
}

// One object for one message after another: nothing of the one before shows.
TEST_F(RoomMessageTest, BeginsAnewWithEachMessage) {
  const Variant sockjs = variant("a", Deflate::off, Framing::sockjs);
  for (const std::size_t size : {3000UL, 5UL, 20'000UL, 7UL}) {
    const chat::Message sent = message(size);
    whole_.begin(sent);
    RoomMessage fresh{{"epoch", "live", {deflater_, 512}}};
    fresh.begin(sent);
    for (const Variant& each :
         {sockjs, variant("a", Deflate::off), variant("a", Deflate::full_window)}) {
      EXPECT_EQ(whole_.tail(each), fresh.tail(each));
      EXPECT_EQ(whole_.shared_tail(each).view(), fresh.tail(each));
    }
  }
}

}  // namespace
}  // namespace rtc::server

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
  RoomMessage::Context context_{"epoch", "live", {deflater_, 512}};
};

TEST_F(RoomMessageTest, IsCompressedOnceForAllWhoShareTheFraming) {
  RoomMessage whole(message(2000), context_);
  const net::Bytes& one = whole.tail(variant("a", Deflate::full_window));
  const net::Bytes& other = whole.tail(variant("b", Deflate::full_window));
  EXPECT_EQ(one.data(), other.data());
  EXPECT_LT(one.size(), 500U);
  const net::Bytes& plain = whole.tail(variant("a", Deflate::off));
  EXPECT_GT(plain.size(), 2000U);
  EXPECT_NE(whole.tail(variant("a", Deflate::small_window)).data(), one.data());
}

TEST_F(RoomMessageTest, IsSentAsItIsWhenItIsShort) {
  RoomMessage whole(message(20), context_);
  EXPECT_EQ(whole.tail(variant("a", Deflate::full_window)).data(),
            whole.tail(variant("a", Deflate::off)).data());
}

// Head and tail make one compressed message, in each framing.
TEST_F(RoomMessageTest, InflatesToWhatOthersGetPlain) {
  for (const Framing framing : {Framing::websocket, Framing::sockjs}) {
    for (const Deflate deflate : {Deflate::full_window, Deflate::small_window}) {
      const chat::Message sent = message(2000);
      RoomMessage whole(sent, context_);
      const std::string head = "MESSAGE\nid:7\n\n";
      const net::Bytes& tail = whole.tail(variant("", deflate, framing));
      std::string frame;
      append_framed_head(frame, framing, head, tail.size(), true);
      frame += tail.view();
      EXPECT_EQ(static_cast<std::uint8_t>(frame[0]), 0xC1);
      const std::size_t payload_bytes =
          (static_cast<std::uint8_t>(frame[2]) << 8) +
          static_cast<std::size_t>(static_cast<std::uint8_t>(frame[3]));
      ASSERT_EQ(static_cast<std::uint8_t>(frame[1]), 126);
      ASSERT_EQ(frame.size(), 4 + payload_bytes);

      std::string plain;
      append_framed(plain, framing, head + message_json(sent) + std::string(1, '\0'));
      websocket::Inflater inflater;
      inflater.begin(std::span<const char>(frame).subspan(4));
      const auto stretch = inflater.next();
      ASSERT_TRUE(stretch.end);
      EXPECT_EQ(std::string(stretch.bytes.begin(), stretch.bytes.end()), plain.substr(4));
    }
  }
}

}  // namespace
}  // namespace rtc::server

// A broker's message as bytes: plain and compressed, and what is shared.
#include "server/broker_message.hpp"

#include <gtest/gtest.h>

#include "websocket/encoder.hpp"

namespace rtc::server {
namespace {

using websocket::Deflate;

class BrokerMessageTest : public testing::Test {
 protected:
  static Variant variant(std::string id, Deflate deflate,
                         stomp::Version version = stomp::Version::v1_2) {
    return {std::move(id), version, Framing::websocket, deflate};
  }
  BrokerMessage message(std::size_t body_bytes) {
    body_.assign(body_bytes, 'x');
    const stomp::Header destination{"destination", "/topic/a"};
    stomp::Frame frame;
    frame.headers = {&destination, 1};
    frame.body = body_;
    return {{Destination::Kind::topic, "/topic/a", ""}, frame, "sender", total_};
  }

  std::string body_;
  std::atomic<std::uint64_t> total_{0};
  websocket::Deflater deflater_;
  SharedDeflate deflate_{deflater_, 512};
};

TEST_F(BrokerMessageTest, IsCompressedOnceForAllWhoShareFramingAndVersion) {
  const BrokerMessage sent = message(2000);
  BrokerFrames frames(sent, &deflate_);
  const std::string_view one = frames.tail(variant("a", Deflate::full_window));
  EXPECT_EQ(one.data(), frames.tail(variant("b", Deflate::full_window)).data());
  EXPECT_LT(one.size(), 500U);
  EXPECT_GT(frames.tail(variant("a", Deflate::off)).size(), 2000U);
  EXPECT_NE(frames.tail(variant("a", Deflate::small_window)).data(), one.data());
  EXPECT_NE(frames.tail(variant("a", Deflate::full_window, stomp::Version::v1_0)).data(),
            one.data());
}

TEST_F(BrokerMessageTest, IsSentAsItIsWhenItIsShortOrNothingCompresses) {
  const BrokerMessage shorter = message(20);
  BrokerFrames frames(shorter, &deflate_);
  EXPECT_EQ(frames.tail(variant("a", Deflate::full_window)).data(),
            frames.tail(variant("a", Deflate::off)).data());
  const BrokerMessage longer = message(2000);
  EXPECT_GT(BrokerFrames(longer).tail(variant("a", Deflate::full_window)).size(), 2000U);
}

}  // namespace
}  // namespace rtc::server

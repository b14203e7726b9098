// KafkaRelay against librdkafka's mock of Kafka, or a real one (kafka_cluster.hpp): the contract,
// what is between two nodes, and what happens when Kafka fails.
#include <gmock/gmock.h>
#include <stdexcept>
#include <sys/eventfd.h>
#include <unistd.h>

#include "contract/kafka_cluster.hpp"
#include "contract/relay_contract.hpp"
#include "contract/relay_node.hpp"
#include "relay/kafka_relay.hpp"

namespace rtc::chat {
namespace {

using relay::KafkaClient;
using relay::KafkaOptions;
using relay::KafkaRelay;
using relay::test::AnyKafka;
using relay::test::KafkaWriter;
using relay::test::MockKafka;
using test::batch;
using test::Node;
using test::up_to;
using testing::HasSubstr;

const std::string kSecret = "0123456789abcdef0123456789abcdef";

template <class Kafka>
KafkaOptions options_for(const Kafka& kafka) {
  KafkaOptions options;
  options.brokers = kafka.brokers();
  options.topic = kafka.topic();
  options.properties = kafka.properties();
  options.timeout_ms = 30'000;  // so that a busy machine is not taken for a lost Kafka
  return options;
}

std::unique_ptr<Relay> relay_with(const KafkaOptions& options,
                                  const std::string& secret = kSecret) {
  auto opened = KafkaRelay::open(options, secret, "epoch");
  if (!opened) throw std::runtime_error(opened.error().message);
  return std::move(*opened);
}

std::string key_of(const RoomId& room) {
  return {reinterpret_cast<const char*>(room.value.bytes.data()), room.value.bytes.size()};
}

class KafkaRelayUnderTest final : public RelayUnderTest {
 public:
  Relay& relay() override { return *relay_; }

 private:
  AnyKafka kafka_;
  std::unique_ptr<Relay> relay_ = relay_with(options_for(kafka_));
};

std::unique_ptr<RelayUnderTest> make_kafka_relay() {
  return std::make_unique<KafkaRelayUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Kafka, RelayContract, testing::Values(&make_kafka_relay));

class KafkaRelayTest : public testing::Test {
 protected:
  AnyKafka kafka_;
  KafkaOptions options_ = options_for(kafka_);
  RoomId room_ = RoomId::random();
};

// A room is followed at once; that it is, a doubt says once all partitions are up.
void follow(Node& node, const RoomId& room) {
  node.wait_until_connected();
  const std::size_t before = node.doubts();
  node.relay().follow(room);
  node.wait_for_doubts(before + 1);
}

TEST_F(KafkaRelayTest, BringsTheRoomsThatANodeFollows) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  follow(there, room_);
  here.relay().publish(batch(RoomId::random(), 1000));
  here.relay().publish(batch(room_, 1, 100));
  here.relay().publish(batch(room_, 101, 900));
  there.wait_for_ids(1000);
  EXPECT_EQ(there.ids(), up_to(1000));
  EXPECT_EQ(here.ids().size(), 1001U) << "its own, once";
  EXPECT_EQ(there.relay().figures().received, 1000U);
  here.wait_for_figures([](const RelayFigures& f) { return f.waiting_bytes == 0; });
  EXPECT_EQ(here.relay().figures().published, 1001U);
  EXPECT_EQ(there.relay().figures().refused, 0U);
}

TEST_F(KafkaRelayTest, BringsManyRoomsWhateverTheirPartition) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  there.wait_until_connected();
  constexpr std::size_t kRooms = 50;
  auto all = std::make_shared<std::vector<Message>>();
  for (MessageId i = 1; i <= kRooms; ++i) {
    const RoomId room = RoomId::random();
    there.relay().follow(room);
    all->push_back({room, i, {}, "text", 5});
  }
  here.relay().publish(all);
  there.wait_for_ids(kRooms);
  auto ids = there.ids();
  std::sort(ids.begin(), ids.end());
  EXPECT_EQ(ids, up_to(kRooms));
}

TEST_F(KafkaRelayTest, IgnoresItsOwnWhenItFollowsThem) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  follow(here, room_);
  there.wait_until_connected();
  here.relay().publish(batch(room_, 1));
  here.wait_for_figures([](const RelayFigures& f) { return f.published == 1; });
  there.relay().publish(batch(room_, 2));  // behind it in the same partition
  here.wait_for_ids(2);
  EXPECT_EQ(here.ids(), up_to(2));
  EXPECT_EQ(here.relay().figures().refused, 0U);
}

// In one partition, where what comes of another room shows that all before it was passed over.
TEST(KafkaRelayFollow, IsAsOftenAsAskedTo) {
  MockKafka kafka(1, 1);
  Node here(relay_with(options_for(kafka)));
  Node there(relay_with(options_for(kafka)));
  const RoomId room = RoomId::random();
  const RoomId other = RoomId::random();
  follow(there, other);
  follow(there, room);
  there.relay().follow(room);
  there.relay().unfollow(room);
  here.relay().publish(batch(room, 1));
  there.wait_for_ids(1);
  there.relay().unfollow(room);
  here.relay().publish(batch(room, 2));
  here.relay().publish(batch(other, 3));
  there.wait_for_ids(2);
  EXPECT_EQ(there.ids(), (std::vector<MessageId>{1, 3}));
}

TEST_F(KafkaRelayTest, SendsLongMessagesWhole) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  follow(there, room_);
  // The mock keeps no more than 5 MiB of a partition.
  here.relay().publish(batch(room_, 1, 4, std::string(900 << 10, 'x')));
  there.wait_for_ids(4);
  EXPECT_EQ(there.ids(), up_to(4));
}

TEST_F(KafkaRelayTest, DropsAndCountsWhatIsForgedOrBroken) {
  Node here(relay_with(options_));
  Node forger(relay_with(options_, "another secret, of another cluster"));
  follow(here, room_);
  KafkaWriter writer(kafka_);
  writer.write(key_of(room_), "rubbish");
  writer.write(key_of(room_), "");
  writer.write("no room", "rubbish");
  writer.write("", "no beat");
  forger.relay().publish(batch(room_, 1));
  here.wait_for_figures([](const RelayFigures& figures) { return figures.refused >= 5; });
  writer.write(key_of(RoomId::random()), "not followed, not read");
  forger.relay().publish(batch(room_, 2));
  here.wait_for_figures([](const RelayFigures& figures) { return figures.refused >= 6; });
  EXPECT_TRUE(here.ids().empty());
  EXPECT_EQ(here.relay().figures().refused, 6U);
}

TEST_F(KafkaRelayTest, WhatWasSaidBeforeIsNotRead) {
  Node here(relay_with(options_));
  here.wait_until_connected();
  here.relay().publish(batch(room_, 1, 10));
  here.wait_for_figures([](const RelayFigures& f) { return f.published == 10; });
  auto relay = relay_with(options_);
  relay->follow(room_);
  Node late(std::move(relay));
  late.wait_for_doubts(1);
  late.wait_until_connected();
  here.relay().publish(batch(room_, 11));
  late.wait_for_ids(1);
  EXPECT_EQ(late.ids(), std::vector<MessageId>{11});
}

// --- failures, which only the mock can be asked for

class KafkaRelayFaults : public testing::Test {
 protected:
  KafkaRelayFaults() { options_.timeout_ms = 1500; }

  // A relay may lose what is said while it thinks Kafka lost, which it does of one that answers
  // late: so it is said until one of them comes.
  static void say_until_heard(const std::function<void(MessageId)>& say, Node& to) {
    constexpr MessageId kFirst = 1000;
    const auto heard = [&] {
      const auto ids = to.ids();
      return std::any_of(ids.begin(), ids.end(), [](MessageId each) { return each >= kFirst; });
    };
    for (MessageId id = kFirst; !heard(); ++id) {
      say(id);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ASSERT_LT(id, kFirst + 3000) << "waited for too long";
    }
  }
  void say_until_heard(Node& from, Node& to) {
    say_until_heard([&](MessageId id) { from.relay().publish(batch(room_, id)); }, to);
    // Kafka's word that it has it may come after the reader does.
    from.wait_for_figures([](const RelayFigures& f) { return f.waiting_bytes == 0; });
  }

  MockKafka kafka_{3};
  KafkaOptions options_ = options_for(kafka_);
  RoomId room_ = RoomId::random();
};

TEST_F(KafkaRelayFaults, ComesBackWhenKafkaDoesAndDoubtsEveryRoom) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  follow(there, room_);
  follow(there, RoomId::random());
  here.wait_until_connected();
  kafka_.down();
  here.wait_until_lost();
  there.wait_until_lost();
  here.relay().publish(batch(room_, 1, 10));
  EXPECT_EQ(here.ids(), up_to(10)) << "its own at once, whatever becomes of Kafka";
  const std::size_t doubts = there.doubts();
  kafka_.up();
  there.wait_for_doubts(doubts + 2);
  there.wait_until_connected();
  here.wait_until_connected();
  // What waited may have gone before the other was back; then it is lost, as a relay may.
  say_until_heard(here, there);
  EXPECT_GT(there.relay().figures().reconnects, 0U);
}

TEST_F(KafkaRelayFaults, StartsBeforeKafkaDoes) {
  kafka_.down();
  Node here(relay_with(options_));
  here.relay().follow(room_);
  here.relay().publish(batch(room_, 1));
  EXPECT_EQ(here.ids(), up_to(1));
  EXPECT_FALSE(here.relay().figures().connected);
  EXPECT_EQ(here.doubts(), 0U);
  kafka_.up();
  here.wait_for_doubts(1);
  here.wait_until_connected();
}

TEST_F(KafkaRelayFaults, WhatKafkaDoesNotTakeInTimeIsDroppedAndCounted) {
  Node here(relay_with(options_));
  here.wait_until_connected();
  kafka_.down();
  here.relay().publish(batch(room_, 1, 10));
  here.wait_for_figures([](const RelayFigures& f) { return f.waiting_bytes == 0; });
  const RelayFigures figures = here.relay().figures();
  EXPECT_EQ(figures.dropped, 10U);
  EXPECT_EQ(figures.published, 0U);
}

TEST_F(KafkaRelayFaults, NeverWaitsAndDropsBeyondItsBound) {
  options_.queue_bytes_max = 64 << 10;
  options_.timeout_ms = 60'000;
  Node here(relay_with(options_));
  here.wait_until_connected();
  kafka_.down();
  for (MessageId id = 1; id <= 1000; ++id) {
    here.relay().publish(batch(room_, id, 1, std::string(1024, 'x')));
    ASSERT_LE(here.relay().figures().waiting_bytes, options_.queue_bytes_max);
  }
  EXPECT_EQ(here.ids(), up_to(1000));
  EXPECT_GT(here.relay().figures().dropped, 900U);
  kafka_.up();
  here.wait_for_figures([](const RelayFigures& figures) { return figures.waiting_bytes == 0; });
  const RelayFigures figures = here.relay().figures();
  EXPECT_EQ(figures.published + figures.dropped, 1000U);
  EXPECT_GT(figures.published, 0U);
}

TEST_F(KafkaRelayFaults, APartitionThatNobodyLeadsIsALostConnectionAndTheOthersGoOn) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  here.wait_until_connected();
  there.wait_until_connected();
  kafka_.lead(0, -1);
  there.wait_until_lost();
  // Of so many rooms some are of the other partitions.
  std::vector<RoomId> rooms(40);
  for (RoomId& room : rooms) there.relay().follow(room = RoomId::random());
  const auto say_in_all = [&](MessageId id) {
    for (const RoomId& room : rooms) here.relay().publish(batch(room, id));
  };
  say_until_heard(say_in_all, there);
  const std::size_t doubts = there.doubts();
  kafka_.lead(0, 2);
  there.wait_for_doubts(doubts + rooms.size());
  there.wait_until_connected();
}

// As a cluster of several does: what one broker led is led by others soon, and it stays away.
TEST_F(KafkaRelayFaults, ABrokerThatIsDownIsDoneWithoutOnceOthersLeadItsPartitions) {
  constexpr std::int32_t kPartitions = 4;  // MockKafka's
  for (std::int32_t each = 0; each < kPartitions; ++each) kafka_.lead(each, 1 + each % 3);
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  std::vector<RoomId> rooms(40);  // in all partitions
  for (RoomId& room : rooms) there.relay().follow(room = RoomId::random());
  there.wait_for_doubts(rooms.size());
  here.wait_until_connected();
  there.wait_until_connected();
  kafka_.down(1);
  there.wait_until_lost();
  here.wait_until_lost();
  const auto say_in_all = [&](MessageId id) {
    for (const RoomId& room : rooms) here.relay().publish(batch(room, id));
  };
  say_until_heard(say_in_all, there);  // by the others

  const std::size_t doubts = there.doubts();
  for (std::int32_t each = 0; each < kPartitions; ++each) kafka_.lead(each, 2 + each % 2);
  there.wait_for_doubts(doubts + rooms.size());
  here.wait_until_connected();
  there.wait_until_connected();
  // Every room is heard of again, the one that nobody led meanwhile too.
  constexpr MessageId kLast = 1'000'000;
  for (MessageId n = 0; n < rooms.size(); ++n) {
    MessageId id = kLast + n;
    const auto heard = [&] {
      const auto ids = there.ids();
      return std::find(ids.begin(), ids.end(), id) != ids.end();
    };
    const auto deadline = std::chrono::steady_clock::now() + Node::kPatience;
    while (!heard()) {
      here.relay().publish(batch(rooms[n], id));
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "room " << n;
    }
  }
  kafka_.up(1);
  kafka_.lead(0, 1);
  there.wait_until_connected();
  say_until_heard(say_in_all, there);
}

TEST_F(KafkaRelayFaults, ErrorsOfKafkaAreTriedAgain) {
  Node here(relay_with(options_));
  Node there(relay_with(options_));
  follow(there, room_);
  using relay::test::kFetchRequest;
  using relay::test::kListOffsetsRequest;
  using relay::test::kMetadataRequest;
  using relay::test::kProduceRequest;
  kafka_.fail(kProduceRequest, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT});
  kafka_.fail(kFetchRequest, {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                              RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR__TRANSPORT});
  kafka_.fail(kListOffsetsRequest,
              {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR__TRANSPORT});
  kafka_.fail(kMetadataRequest, {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE});
  // What was sent before a partition was read anew may be lost; the last must come.
  say_until_heard(here, there);
  here.wait_until_connected();
  there.wait_until_connected();
}

// Nobody reads for a while: librdkafka fetches no more than it may keep, and nothing is lost.
TEST(KafkaClientFetch, WhatIsNotReadIsBoundedAndTold) {
  constexpr int kBrokers = 3;
  constexpr std::size_t kPartitions = 12;
  constexpr std::size_t kEach = 4;  // of a partition, of which the mock keeps 5 MiB
  constexpr std::size_t kAnswerMax = 4 << 20;
  MockKafka kafka(kBrokers, kPartitions);
  KafkaOptions options = options_for(kafka);
  options.fetch_bytes_max = 1 << 20;
  const int wake = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  std::size_t written = 0;
  auto opened = KafkaClient::open(options, wake, [&](std::uint64_t, bool taken) {
    ASSERT_TRUE(taken);
    ++written;
  });
  ASSERT_TRUE(opened);
  auto client = std::move(*opened);
  std::size_t most = 0;
  const auto until = [&](const char* what, const std::function<bool()>& holds) {
    const auto deadline = std::chrono::steady_clock::now() + Node::kPatience;
    while (!holds()) {
      client->report();
      most = std::max(most, client->unread_bytes());
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited too long for " << what;
    }
  };
  const std::string text(1000 << 10, 'x');
  std::vector<std::size_t> words(kPartitions);
  std::size_t came = 0;  // of that text
  const auto read = [&] {
    client->read([&](std::span<const KafkaClient::Record> records) {
      for (const auto& each : records) {
        (each.value.size() == text.size() ? came : words[each.partition]) += 1;
      }
    });
  };
  until("the partitions", [&] { return client->count_partitions(1000) == kPartitions; });
  for (std::size_t each = 0; each < kPartitions; ++each) client->begin(each);
  std::size_t asked = 0;
  until("all to be read from now on", [&] {
    for (std::size_t each = 0; each < kPartitions; ++each) {
      if (words[each] == 0) asked += client->write_to(each, "begin", 0) ? 1 : 0;
    }
    read();
    return std::find(words.begin(), words.end(), 0U) == words.end();
  });
  for (std::size_t n = 0; n < kEach * kPartitions; ++n) {
    until("a place", [&] { return client->write_to(n % kPartitions, text, 0); });
  }
  asked += kEach * kPartitions;
  until("all to be written", [&] { return written == asked; });
  // librdkafka counts by 1,000 bytes: from here on it fetches nothing, and below it whatever is
  // there, of which one text is not enough.
  const std::size_t full = options.fetch_bytes_max / 1000 * 1000;
  ASSERT_LT(text.size(), full);
  until("it to be full", [&] { return client->unread_bytes() >= full; });
  // Some reports more, of which there is one a second.
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(3);
  until("some reports", [&] { return std::chrono::steady_clock::now() >= end; });
  until("the rest", [&] {
    read();
    return came == kEach * kPartitions;
  });
  EXPECT_LE(most, options.fetch_bytes_max + kBrokers * kAnswerMax);
  until("it to be empty", [&] { return client->unread_bytes() == 0; });
  client.reset();
  ::close(wake);
}

TEST(KafkaRelayOpen, NamesThePropertyThatCannotBe) {
  const auto error_with = [](std::vector<relay::KafkaProperty> properties) {
    KafkaOptions options;
    options.brokers = "127.0.0.1:1";
    options.properties = std::move(properties);
    const auto opened = KafkaRelay::open(options, kSecret, "epoch");
    return opened ? std::string() : opened.error().message;
  };
  EXPECT_EQ(error_with({{"compression.type", "lz4"}, {"partitioner", "murmur2_random"}}), "");
  EXPECT_THAT(error_with({{"no.such.thing", "1"}}), HasSubstr("no.such.thing"));
  EXPECT_THAT(error_with({{"security.protocol", "rot13"}}), HasSubstr("security.protocol"));
  EXPECT_THAT(error_with({{"security.protocol", "ssl"}, {"ssl.ca.location", "/no/such.pem"}}),
              HasSubstr("ssl.ca.location"));
}

}  // namespace
}  // namespace rtc::chat

// Connections and their loop over real sockets of the loopback.
#include "net/connection.hpp"

#include <atomic>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>

#include "unit/net/sockets.hpp"

namespace rtc::net {
namespace {

using test::Awaited;
using test::connected_pair;
using test::LoopThread;
using test::SocketPair;
using test::TestHandler;

// Bytes whose order can be told.
std::string numbered(std::size_t size) {
  std::string text;
  for (int i = 0; text.size() < size; ++i) text += std::to_string(i) + ",";
  text.resize(size);
  return text;
}

class ConnectionTest : public testing::Test {
 protected:
  // A connection of the loop; on_closed is awaited by closed().
  Connection* open(SocketPair& pair, std::unique_ptr<TestHandler> handler) {
    handler->closed = [this](Connection&, CloseReason reason) { closed_.set(reason); };
    Connection* connection = nullptr;
    thread_.run([&] { connection = &thread_.adopt(pair.server, std::move(handler), bounds_); });
    return connection;
  }
  CloseReason closed() { return closed_.get(); }

  ConnectionBounds bounds_{.outbox_bytes_max = 1 << 20, .close_timeout_ms = 60'000};
  Awaited<CloseReason> closed_;
  LoopThread thread_;
};

std::unique_ptr<TestHandler> echo() {
  auto handler = std::make_unique<TestHandler>();
  handler->input = [](Connection& connection, std::span<char> bytes) {
    connection.send({bytes.data(), bytes.size()});
    return bytes.size();
  };
  return handler;
}

TEST_F(ConnectionTest, EchoesWhateverTheSplit) {
  SocketPair pair = connected_pair();
  open(pair, echo());
  for (const std::size_t size : {1U, 2U, 100U, 65536U, 300'000U}) {
    const std::string text = numbered(size);
    std::thread writer([&] { pair.client.send_all(text); });
    EXPECT_EQ(pair.client.read(size), text);
    writer.join();
  }
  pair.client.end_output();
  EXPECT_EQ(pair.client.read_to_end(), "") << "by default the end of input ends the connection";
  EXPECT_EQ(closed(), CloseReason::local);
}

TEST_F(ConnectionTest, GathersASendOfManySegments) {
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  std::string expected;
  thread_.run([&] {
    for (int i = 0; i < 500; ++i) {
      connection->send(std::to_string(i) + ";");
      expected += std::to_string(i) + ";";
    }
    EXPECT_EQ(connection->queued_bytes(), expected.size());
  });
  EXPECT_EQ(pair.client.read(expected.size()), expected);
}

TEST_F(ConnectionTest, APausedHandlerGetsEveryByteInOrderLater) {
  SocketPair pair = connected_pair();
  std::string got;
  bool paused = false;
  Awaited<bool> all;
  const std::string text = numbered(200'000);
  auto handler = std::make_unique<TestHandler>();
  handler->input = [&](Connection& connection, std::span<char> bytes) {
    EXPECT_FALSE(paused);
    // A third at a time, then a pause until a later turn.
    const std::size_t taken = std::max<std::size_t>(bytes.size() / 3, 1);
    got.append(bytes.data(), taken);
    if (got.size() == text.size()) {
      all.set(true);
      return taken;
    }
    connection.pause();
    paused = true;
    connection.loop().post([&] {
      paused = false;
      connection.resume();
    });
    return taken;
  };
  open(pair, std::move(handler));
  std::thread writer([&] { pair.client.send_all(text); });
  all.get();
  writer.join();
  thread_.run([&] { EXPECT_EQ(got, text); });
}

TEST_F(ConnectionTest, ResumeFromWithinOnInputGoesOn) {
  SocketPair pair = connected_pair();
  std::string got;
  Awaited<bool> all;
  auto handler = std::make_unique<TestHandler>();
  handler->input = [&](Connection& connection, std::span<char> bytes) {
    connection.pause();
    got += bytes.front();
    connection.resume();
    if (got.size() == 300) all.set(true);
    return std::size_t{1};
  };
  open(pair, std::move(handler));
  pair.client.send_all(numbered(300));
  all.get();
  thread_.run([&] { EXPECT_EQ(got, numbered(300)); });
}

TEST_F(ConnectionTest, NothingComesInWhilePausedAndTheEndComesLast) {
  SocketPair pair = connected_pair();
  std::string got;
  bool ended = false;
  Awaited<bool> first;
  auto handler = std::make_unique<TestHandler>();
  handler->input = [&](Connection& connection, std::span<char> bytes) {
    got.append(bytes.data(), bytes.size());
    connection.pause();
    if (!first.is_set()) first.set(true);
    return bytes.size();
  };
  handler->input_end = [&](Connection& connection) {
    EXPECT_EQ(got, "onetwo");
    EXPECT_FALSE(ended);
    ended = true;
    connection.send("bye");
    connection.close_after_flush();
  };
  Connection* const connection = open(pair, std::move(handler));
  pair.client.send_all("one");
  first.get();
  pair.client.send_all("two");
  pair.client.end_output();
  thread_.finish_turn();
  thread_.run([&] {
    EXPECT_EQ(got, "one");
    EXPECT_FALSE(ended);
    connection->resume();
  });
  // The second read paused again; the end is for after it.
  thread_.finish_turn();
  for (bool more = true; more;) {
    thread_.run([&] {
      more = got != "onetwo";
      if (!more) connection->resume();
    });
  }
  EXPECT_EQ(pair.client.read_to_end(), "bye");
  EXPECT_EQ(closed(), CloseReason::local);
}

// Both are readable in one turn, and the first to run pauses the other: the readiness that the
// kernel told before is no hang-up.
TEST_F(ConnectionTest, PausingAnotherInTheTurnOfItsInputDoesNotEndIt) {
  SocketPair pairs[] = {connected_pair(), connected_pair()};
  Connection* connections[2] = {};
  std::string got[2];
  int inputs = 0;
  Awaited<bool> all;
  thread_.run([&] {
    for (int i = 0; i < 2; ++i) {
      auto handler = std::make_unique<TestHandler>();
      handler->input = [&, i](Connection&, std::span<char> bytes) {
        got[i].append(bytes.data(), bytes.size());
        if (++inputs == 1) {
          Connection* const other = connections[1 - i];
          other->pause();
          other->loop().post([other] { other->loop().post([other] { other->resume(); }); });
        }
        if (inputs == 2) all.set(true);
        return bytes.size();
      };
      handler->closed = [&](Connection&, CloseReason) {
        EXPECT_TRUE(all.is_set()) << "closed instead of paused";
        if (!all.is_set()) all.set(false);
      };
      connections[i] = &thread_.adopt(pairs[i].server, std::move(handler), bounds_);
    }
    // Within one turn of the loop, so that the next finds both ready.
    for (const SocketPair& pair : pairs) pair.client.send_all("hello");
  });
  EXPECT_TRUE(all.get());
  thread_.run([&] {
    EXPECT_EQ(got[0], "hello");
    EXPECT_EQ(got[1], "hello");
  });
  thread_.stop();
}

TEST_F(ConnectionTest, APausedConnectionStillHearsOfAReset) {
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  thread_.run([&] { connection->pause(); });
  pair.client.reset();
  EXPECT_EQ(closed(), CloseReason::peer);
}

TEST_F(ConnectionTest, ANewHandlerGetsTheRestAndTheOldOneLivesThroughItsCall) {
  SocketPair pair = connected_pair();
  Awaited<std::string> rest;
  Awaited<bool> old_gone;
  std::atomic<bool> in_old{false};
  auto next = std::make_unique<TestHandler>();
  next->input = [&](Connection&, std::span<char> bytes) {
    rest.set(std::string(bytes.data(), bytes.size()));
    return bytes.size();
  };
  next->closed = [&](Connection&, CloseReason reason) { closed_.set(reason); };
  const std::shared_ptr<bool> guard(new bool(true), [&](const bool* each) {
    EXPECT_FALSE(in_old);
    delete each;
    old_gone.set(true);
  });
  auto old = std::make_unique<TestHandler>();
  old->input = [&, guard, next = std::make_shared<std::unique_ptr<TestHandler>>(std::move(next))](
                   Connection& connection, std::span<char> bytes) {
    in_old = true;
    const std::size_t taken = std::string_view(bytes.data(), bytes.size()).find('|') + 1;
    connection.set_handler(std::move(*next));
    in_old = false;
    return taken;
  };
  const_cast<std::shared_ptr<bool>&>(guard).reset();
  thread_.run([&] { thread_.adopt(pair.server, std::move(old), bounds_); });
  pair.client.send_all("old|new");
  EXPECT_EQ(rest.get(), "new");
  old_gone.get();
  pair.client.close();
  EXPECT_EQ(closed(), CloseReason::local);
}

TEST_F(ConnectionTest, AHalfClosedPeerStillGetsItsAnswer) {
  SocketPair pair = connected_pair();
  auto handler = std::make_unique<TestHandler>();
  std::string got;
  handler->input = [&](Connection&, std::span<char> bytes) {
    got.append(bytes.data(), bytes.size());
    return bytes.size();
  };
  handler->input_end = [&](Connection& connection) {
    connection.send("got " + got);
    connection.close_after_flush();
  };
  open(pair, std::move(handler));
  pair.client.send_all("all");
  pair.client.end_output();
  EXPECT_EQ(pair.client.read_to_end(), "got all");
  EXPECT_EQ(closed(), CloseReason::local);
}

TEST_F(ConnectionTest, CloseAfterFlushDeliversEverythingToASlowReader) {
  SocketPair pair = connected_pair();
  bounds_.outbox_bytes_max = 16 << 20;
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  const std::string text = numbered(4 << 20);
  thread_.run([&] {
    for (std::size_t at = 0; at < text.size(); at += 10'000) {
      connection->send(text.substr(at, 10'000));
    }
    connection->close_after_flush();
    EXPECT_TRUE(connection->closing());
    connection->send("too late");
  });
  // What the peer still sends is swallowed and resets nothing.
  pair.client.send_all("ignored");
  std::string got;
  while (true) {
    const std::string piece = pair.client.read(7777);
    if (piece.empty()) break;
    got += piece;
  }
  EXPECT_EQ(got.size(), text.size());
  EXPECT_TRUE(got == text);
  EXPECT_FALSE(closed_.is_set()) << "it waits for the peer's end";
  pair.client.close();
  EXPECT_EQ(closed(), CloseReason::local);
}

TEST_F(ConnectionTest, APeerThatNeverEndsIsClosedAfterTheTimeout) {
  bounds_.close_timeout_ms = 50;
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  const auto began = std::chrono::steady_clock::now();
  thread_.run([&] { connection->close_after_flush(); });
  EXPECT_EQ(closed(), CloseReason::local);
  // The loop counts from the turn's beginning, which may lie a moment back.
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(40));
}

TEST_F(ConnectionTest, APeerThatNeverReadsIsClosedAfterTheTimeoutToo) {
  bounds_.close_timeout_ms = 50;
  bounds_.outbox_bytes_max = 16 << 20;
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  thread_.run([&] {
    connection->send(std::string(8 << 20, 'x'));
    connection->close_after_flush();
  });
  EXPECT_EQ(closed(), CloseReason::local);
}

TEST_F(ConnectionTest, AResponseOfAnySizeReachesOneWhoReads) {
  bounds_.outbox_bytes_max = 100'000;
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  const std::string text = numbered(20'000'000);
  thread_.run([&] {
    connection->send(text);
    connection->close_after_flush();
  });
  EXPECT_TRUE(pair.client.read(text.size()) == text);
  pair.client.close();
  EXPECT_EQ(closed(), CloseReason::local);
}

// More segments than one write takes: the last ones leave without the socket being full again.
TEST_F(ConnectionTest, OneWhoStalledAndReadOnIsNotGivenUp) {
  bounds_.outbox_bytes_max = 100'000'000;
  bounds_.outbox_time_ms_max = 4000;  // reading takes less, though the machine be busy
  SocketPair pair = connected_pair();
  const auto ended = std::make_shared<std::atomic<bool>>(false);  // told after the test's end
  auto handler = std::make_unique<TestHandler>();
  handler->closed = [ended](Connection&, CloseReason) { *ended = true; };
  Connection* connection = nullptr;
  thread_.run([&] { connection = &thread_.adopt(pair.server, std::move(handler), bounds_); });
  const std::string text = numbered(10'000'000);
  constexpr std::size_t kShortOnes = 200;
  thread_.run([&] {
    connection->send(text);
    for (std::size_t i = 0; i < kShortOnes; ++i) connection->send("x");
  });
  thread_.finish_turn();  // and the socket is full
  EXPECT_EQ(pair.client.read(text.size() + kShortOnes).size(), text.size() + kShortOnes);
  std::this_thread::sleep_for(std::chrono::milliseconds(4500));
  ASSERT_FALSE(*ended);
  thread_.run([&] { connection->send("still here"); });
  EXPECT_EQ(pair.client.read(10), "still here");
  thread_.run([&] { connection->abort(); });
}

class StalledConnectionTest : public ConnectionTest,
                              public testing::WithParamInterface<OutboxRule> {};

TEST_P(StalledConnectionTest, OneWhoTakesNothingForTooLongOverflows) {
  bounds_.outbox_bytes_max = 100'000'000;
  bounds_.outbox_time_ms_max = 50;
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  thread_.run([&] {
    connection->set_outbox_rule(GetParam());
    connection->send(numbered(20'000'000));
  });
  EXPECT_EQ(closed(), CloseReason::overflow);
}

INSTANTIATE_TEST_SUITE_P(Rules, StalledConnectionTest,
                         testing::Values(OutboxRule::response, OutboxRule::stream));

TEST_F(ConnectionTest, OverflowClosesOnlyTheOneThatDoesNotRead) {
  bounds_.outbox_bytes_max = 100'000;
  SocketPair deaf = connected_pair();
  SocketPair reader = connected_pair();
  Connection* const to_deaf = open(deaf, std::make_unique<TestHandler>());
  Connection* to_reader = nullptr;
  auto handler = std::make_unique<TestHandler>();
  handler->closed = [](Connection&, CloseReason) {};
  thread_.run([&] {
    to_reader = &thread_.adopt(reader.server, std::move(handler), bounds_);
    to_reader->set_outbox_rule(OutboxRule::stream);
    to_deaf->set_outbox_rule(OutboxRule::stream);
  });
  const std::string text = numbered(20'000);
  bool ended = false;
  int rounds = 0;
  while (!ended && rounds < 10'000) {
    ++rounds;
    std::size_t waiting = 0;
    thread_.run([&] {
      if (closed_.is_set()) {
        ended = true;
        return;
      }
      to_deaf->send(text);
      waiting = to_deaf->queued_bytes();
      to_reader->send(text);
    });
    EXPECT_LE(waiting, bounds_.outbox_bytes_max + text.size());
    if (!ended) {
      ASSERT_EQ(reader.client.read(text.size()), text);
    }
  }
  EXPECT_EQ(closed(), CloseReason::overflow);
  thread_.run([&] {
    EXPECT_EQ(thread_.loop().connection_count(), 1U);
    to_reader->send("still here");
  });
  EXPECT_EQ(reader.client.read(10), "still here");
  thread_.stop();
}

TEST_F(ConnectionTest, UpToTheBoundANonReaderIsKept) {
  bounds_.outbox_bytes_max = 1 << 20;
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  // Fill the kernel's buffers, whatever their size, until some of it waits here.
  std::size_t sent = 0;
  for (bool full = false; !full; thread_.finish_turn()) {
    thread_.run([&] {
      full = connection->queued_bytes() > 0;
      if (full) return;
      connection->send(numbered(100'000));
      sent += 100'000;
    });
    ASSERT_LT(sent, std::size_t{64} << 20);
  }
  thread_.run([&] {
    const std::size_t room = bounds_.outbox_bytes_max - connection->queued_bytes();
    connection->send(std::string(room, 'x'));
    sent += room;
    EXPECT_EQ(connection->queued_bytes(), bounds_.outbox_bytes_max);
  });
  thread_.finish_turn();
  EXPECT_FALSE(closed_.is_set()) << "the bound itself is allowed";
  EXPECT_EQ(pair.client.read(sent).size(), sent);
  EXPECT_FALSE(closed_.is_set());
  // Read again, it may be used again.
  thread_.run([&] { connection->send("more"); });
  EXPECT_EQ(pair.client.read(4), "more");
}

TEST_F(ConnectionTest, ABurstThatTheKernelTakesCostsNobodyTheConnection) {
  bounds_.outbox_bytes_max = 10;
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, std::make_unique<TestHandler>());
  thread_.run([&] {
    for (int i = 0; i < 10; ++i) connection->send("0123456789");
  });
  EXPECT_EQ(pair.client.read(100).size(), 100U);
  EXPECT_FALSE(closed_.is_set());
}

TEST_F(ConnectionTest, AbortFromWithinOnInputEndsAtOnce) {
  SocketPair pair = connected_pair();
  auto handler = std::make_unique<TestHandler>();
  bool in_input = false;
  int inputs = 0;
  handler->input = [&](Connection& connection, std::span<char>) {
    in_input = true;
    ++inputs;
    connection.send("never seen");
    connection.abort();
    connection.abort();
    connection.send("nor this");
    connection.close_after_flush();
    EXPECT_TRUE(connection.closing());
    in_input = false;
    return std::size_t{1};
  };
  Connection* const connection = open(pair, std::move(handler));
  static_cast<TestHandler&>(connection->handler()).closed = [&](Connection&, CloseReason reason) {
    EXPECT_FALSE(in_input) << "never from within a call into the connection";
    closed_.set(reason);
  };
  pair.client.send_all("hello");
  EXPECT_EQ(closed(), CloseReason::local);
  EXPECT_EQ(pair.client.read_to_end(), "");
  thread_.run([&] {
    EXPECT_EQ(inputs, 1) << "the rest of the input is nobody's";
    EXPECT_EQ(thread_.loop().connection_count(), 0U);
  });
}

TEST_F(ConnectionTest, AResetIsThePeersDoing) {
  SocketPair pair = connected_pair();
  open(pair, std::make_unique<TestHandler>());
  pair.client.reset();
  EXPECT_EQ(closed(), CloseReason::peer);
}

TEST_F(ConnectionTest, OnDrainedComesWhenAllIsWritten) {
  SocketPair pair = connected_pair();
  Awaited<bool> done;
  auto handler = std::make_unique<TestHandler>();
  int drained = 0;
  handler->drained = [&](Connection& connection) {
    EXPECT_EQ(connection.queued_bytes(), 0U);
    if (++drained < 3) {
      connection.send("again");  // writes in the same turn are no trouble
    } else {
      done.set(true);
    }
  };
  Connection* const connection = open(pair, std::move(handler));
  thread_.run([&] { connection->send("first"); });
  done.get();
  EXPECT_EQ(pair.client.read(15), "firstagainagain");
}

TEST_F(ConnectionTest, EveryConnectionOfAStoppedLoopHearsOnClosedOnce) {
  constexpr int kCount = 200;
  std::vector<SocketPair> pairs;
  std::vector<int> closed_count(kCount, 0);
  for (int i = 0; i < kCount; ++i) pairs.push_back(connected_pair());
  thread_.run([&] {
    for (int i = 0; i < kCount; ++i) {
      auto handler = std::make_unique<TestHandler>();
      handler->closed = [&closed_count, i](Connection&, CloseReason) {
        ++closed_count[static_cast<std::size_t>(i)];
      };
      Connection& each =
          thread_.adopt(pairs[static_cast<std::size_t>(i)].server, std::move(handler), bounds_);
      each.send("unwritten or not");
      if (i % 3 == 0) each.close_after_flush();
      if (i % 5 == 0) each.abort();
    }
  });
  thread_.stop();
  EXPECT_EQ(closed_count, std::vector<int>(kCount, 1));
  EXPECT_EQ(thread_.loop().connection_count(), 0U);
}

TEST_F(ConnectionTest, ManyConnectionsOfOneTurnEachGetTheirOwn) {
  constexpr std::size_t kCount = 600;  // more than one batch of writes
  std::vector<SocketPair> pairs;
  std::vector<Connection*> connections;
  for (std::size_t i = 0; i < kCount; ++i) pairs.push_back(connected_pair());
  thread_.run([&] {
    for (const SocketPair& pair : pairs) {
      connections.push_back(&thread_.adopt(pair.server, echo(), bounds_));
    }
    const Bytes shared = Bytes::copy("shared ");
    for (std::size_t i = 0; i < kCount; ++i) {
      connections[i]->send(shared);
      connections[i]->send(std::to_string(i + 1000));
    }
  });
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(pairs[i].client.read(11), "shared " + std::to_string(i + 1000));
    pairs[i].client.send_all("echo");
  }
  for (std::size_t i = 0; i < kCount; ++i) ASSERT_EQ(pairs[i].client.read(4), "echo");
  // Every second one ends; the others must not be taken for them.
  thread_.run([&] {
    for (std::size_t i = 0; i < kCount; i += 2) connections[i]->abort();
  });
  thread_.finish_turn();
  thread_.run([&] {
    EXPECT_EQ(thread_.loop().connection_count(), kCount / 2);
    for (std::size_t i = 1; i < kCount; i += 2) connections[i]->send("odd");
  });
  for (std::size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(i % 2 == 0 ? pairs[i].client.read_to_end() : pairs[i].client.read(3),
              i % 2 == 0 ? "" : "odd");
  }
}

// What came behind the place where it left, and what was not yet written, goes with it.
TEST_F(ConnectionTest, GoesOnInAnotherLoop) {
  SocketPair pair = connected_pair();
  LoopThread other;
  Awaited<std::shared_ptr<DetachedConnection>> left;
  auto leaver = std::make_unique<TestHandler>();
  leaver->input = [](Connection& connection, std::span<char> /*bytes*/) {
    connection.send("from the first loop, ");
    connection.detach();
    EXPECT_TRUE(connection.closing());
    return std::size_t{5};
  };
  leaver->detached = [&](std::shared_ptr<DetachedConnection> detached) { left.set(detached); };
  open(pair, std::move(leaver));
  pair.client.send_all("leave and the rest");
  const auto detached = left.get();
  EXPECT_EQ(detached->input, " and the rest");
  thread_.finish_turn();
  thread_.run([&] { EXPECT_EQ(thread_.loop().connection_count(), 0U); });
  other.run([&] {
    const int fd = detached->take_fd();
    Connection& connection = other.adopt(fd, echo(), bounds_);
    connection.pause();
    connection.take_over(*detached);
    connection.resume();
  });
  EXPECT_EQ(pair.client.read(34), "from the first loop,  and the rest");
  pair.client.send_all("and more");
  EXPECT_EQ(pair.client.read(8), "and more");
}

TEST_F(ConnectionTest, OneThatNobodyTakesOverIsClosed) {
  SocketPair pair = connected_pair();
  Connection* const connection = open(pair, echo());
  thread_.run([&] { connection->detach(); });
  EXPECT_EQ(pair.client.read_to_end(), "");
}

}  // namespace
}  // namespace rtc::net

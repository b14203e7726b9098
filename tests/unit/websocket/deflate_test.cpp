// The codec of permessage-deflate, against itself, zlib and the examples of RFC 7692.
#include "websocket/deflate.hpp"

#include <gtest/gtest.h>
#include <random>
#include <zlib.h>

#include "unit/base/seed.hpp"

namespace rtc::websocket {
namespace {

using rtc::test::pick;
using rtc::test::seed;

std::string bytes(std::initializer_list<int> values) {
  std::string text;
  for (const int value : values) text.push_back(static_cast<char>(value));
  return text;
}

constexpr std::string_view kCorrupt = "corrupt";

// What `payload` inflates to; kCorrupt.
std::string inflated(Inflater& inflater, const std::string& payload) {
  inflater.begin(payload);
  std::string text;
  while (true) {
    const Inflater::Stretch stretch = inflater.next();
    if (stretch.corrupt) return std::string(kCorrupt);
    EXPECT_LE(stretch.bytes.size(), Inflater::kStretchBytesMax);
    text.append(stretch.bytes.begin(), stretch.bytes.end());
    if (stretch.end) return text;
  }
}
std::string inflated(const std::string& payload) {
  Inflater inflater;
  return inflated(inflater, payload);
}

// From hardly to well compressible.
std::string random_text(std::mt19937_64& random, std::size_t size) {
  const std::size_t letters = pick(random, 1, 256);
  std::string text;
  while (text.size() < size) text.push_back(static_cast<char>(pick(random, 0, letters - 1)));
  return text;
}

TEST(Deflate, WhatGoesInComesOut) {
  std::mt19937_64 random(seed());
  Deflater deflater;
  Inflater inflater;
  for (int round = 0; round < 300; ++round) {
    const std::string head = random_text(random, pick(random, 0, 300));
    const std::string tail = random_text(random, pick(random, 0, round % 30 == 0 ? 300'000 : 3000));
    for (const Deflate deflate : {Deflate::small_window, Deflate::full_window}) {
      std::string payload;
      Deflater::append_stored(payload, head);
      EXPECT_EQ(payload.size(), Deflater::stored_bytes(head.size()));
      deflater.append_end(payload, tail, deflate);
      ASSERT_EQ(inflated(inflater, payload), head + tail) << "seed " << seed();
    }
  }
}

TEST(Deflate, StoredHeadsMayBeOfAnySize) {
  for (const std::size_t size : {0U, 1U, 65535U, 65536U, 200'000U}) {
    const std::string head(size, 'h');
    std::string payload;
    Deflater::append_stored(payload, head);
    EXPECT_EQ(payload.size(), Deflater::stored_bytes(size));
    Deflater deflater;
    deflater.append_end(payload, "tail", Deflate::full_window);
    EXPECT_EQ(inflated(payload), head + "tail") << size;
  }
}

// A client that said it looks back 2^9 bytes must be able to read what is meant for it.
TEST(Deflate, ASmallWindowIsKept) {
  std::mt19937_64 random(seed());
  const std::string part = random_text(random, 700);
  Deflater deflater;
  std::string payload;
  deflater.append_end(payload, part + part + part, Deflate::small_window);
  payload += bytes({0, 0, 0xFF, 0xFF});

  z_stream z{};
  ASSERT_EQ(inflateInit2(&z, -9), Z_OK);
  std::string out(3 * part.size() + 1, '\0');
  z.next_in = reinterpret_cast<Bytef*>(payload.data());
  z.avail_in = static_cast<uInt>(payload.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&z, Z_SYNC_FLUSH), Z_OK) << (z.msg == nullptr ? "" : z.msg);
  EXPECT_EQ(out.substr(0, out.size() - z.avail_out), part + part + part);
  inflateEnd(&z);
}

TEST(Deflate, SavesOnWhatRepeats) {
  Deflater deflater;
  std::string payload;
  deflater.append_end(payload, std::string(10'000, 'x'), Deflate::full_window);
  EXPECT_LT(payload.size(), 100U);
  EXPECT_FALSE(payload.ends_with(bytes({0, 0, 0xFF, 0xFF})));
}

TEST(Deflate, CountsWhatWentThrough) {
  Deflater deflater;
  Inflater inflater;
  std::string payload;
  Deflater::append_stored(payload, "head");
  const std::size_t head = payload.size();
  deflater.append_end(payload, std::string(100'000, 'x'), Deflate::full_window);
  const std::size_t deflated = payload.size() - head;
  deflater.append_end(payload, "another", Deflate::small_window);
  EXPECT_EQ(deflater.figures().messages, 2U);
  EXPECT_EQ(deflater.figures().plain_bytes, 100'007U);
  EXPECT_EQ(deflater.figures().compressed_bytes, payload.size() - head);
  payload.resize(head + deflated);
  inflated(inflater, payload);
  EXPECT_EQ(inflater.figures().messages, 1U);
  EXPECT_EQ(inflater.figures().plain_bytes, 100'004U);
  EXPECT_EQ(inflater.figures().compressed_bytes, payload.size());
  EXPECT_EQ(inflater.figures().refused, 0U);
}

TEST(Inflate, TakesTheExamplesOfTheRfc) {
  const struct {
    const char* section;
    std::string payload;
    std::string text;
  } cases[] = {
      {"7.2.3.1", bytes({0xF2, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00}), "Hello"},
      {"7.2.3.3, stored", bytes({0x00, 0x05, 0x00, 0xFA, 0xFF, 0x48, 0x65, 0x6C, 0x6C, 0x6F, 0x00}),
       "Hello"},
      {"7.2.3.4, a last block", bytes({0xF3, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x00}), "Hello"},
      {"7.2.3.5, two blocks",
       bytes({0xF2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xFF, 0xFF, 0xCA, 0xC9, 0xC9, 0x07, 0x00}),
       "Hello"},
      {"7.2.3.6, empty", bytes({0x00}), ""},
      {"empty, in a fixed block", bytes({0x02, 0x00}), ""},
  };
  for (const auto& c : cases) EXPECT_EQ(inflated(c.payload), c.text) << c.section;
}

// As far as zlib alone reads a stream of which the end is missing.
std::string begun_text(std::string payload, std::size_t size_max) {
  z_stream z{};
  EXPECT_EQ(inflateInit2(&z, -15), Z_OK);
  std::string out(size_max, '\0');
  z.next_in = reinterpret_cast<Bytef*>(payload.data());
  z.avail_in = static_cast<uInt>(payload.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  inflate(&z, Z_SYNC_FLUSH);
  out.resize(out.size() - z.avail_out);
  inflateEnd(&z);
  return out;
}

TEST(Inflate, EveryCutOffMessageIsCorruptOrBeginsAsItDid) {
  std::mt19937_64 random(seed());
  Deflater deflater;
  Inflater inflater;
  const std::string text = random_text(random, 2000);
  std::string payload;
  deflater.append_end(payload, text, Deflate::full_window);
  for (std::size_t size = 0; size < payload.size(); ++size) {
    const std::string shorter = inflated(inflater, payload.substr(0, size));
    // The end that the receiver adds may by chance be read as anything: it is no part of the text.
    if (shorter == kCorrupt) continue;
    const std::string begun = begun_text(payload.substr(0, size), text.size());
    ASSERT_TRUE(shorter.starts_with(begun)) << size << ", seed " << seed();
    ASSERT_TRUE(text.starts_with(begun)) << size << ", seed " << seed();
  }
  // And it is none the worse for that.
  EXPECT_EQ(inflated(inflater, payload), text);
}

TEST(Inflate, RandomBytesEndInSomething) {
  std::mt19937_64 random(seed());
  Inflater inflater;
  for (int round = 0; round < 2000; ++round) {
    const std::string payload = random_text(random, pick(random, 0, 60));
    inflated(inflater, payload);
  }
}

// The memory of a stretch is the same for every message, however much it inflates to.
TEST(Inflate, ABombComesInStretches) {
  Deflater deflater;
  std::string payload;
  deflater.append_end(payload, std::string(32 << 20, 'x'), Deflate::full_window);
  EXPECT_LT(payload.size(), 200'000U);
  Inflater inflater;
  inflater.begin(payload);
  std::size_t size = 0;
  Inflater::Stretch stretch;
  do {
    stretch = inflater.next();
    ASSERT_FALSE(stretch.corrupt);
    ASSERT_LE(stretch.bytes.size(), Inflater::kStretchBytesMax);
    size += stretch.bytes.size();
  } while (!stretch.end);
  EXPECT_EQ(size, std::size_t{32} << 20);
}

// The output ends exactly with a stretch: the end comes all the same.
TEST(Inflate, WholeStretches) {
  Deflater deflater;
  for (const std::size_t stretches : {1U, 2U, 3U}) {
    for (const int more : {-1, 0, 1}) {
      const std::string text(
          stretches * Inflater::kStretchBytesMax + static_cast<std::size_t>(more), 'x');
      std::string payload;
      deflater.append_end(payload, text, Deflate::full_window);
      EXPECT_EQ(inflated(payload), text);
      std::string stored;
      Deflater::append_stored(stored, text);
      EXPECT_EQ(inflated(stored + bytes({0})), text);
    }
  }
}

}  // namespace
}  // namespace rtc::websocket

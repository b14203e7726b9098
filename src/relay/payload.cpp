#include "relay/payload.hpp"

#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "relay/message_bytes.hpp"

namespace rtc::relay {
namespace {

constexpr char kStored = 1;
constexpr char kLive = 2;
constexpr char kNews = 3;

}  // namespace

Payloads::Payloads(std::string_view secret, std::string_view epoch)
    : seal_("realtimechat relay", secret, epoch) {
  fill_random(node_);
}

std::string Payloads::begin(char kind, std::uint64_t sequence, const Uuid& about,
                            std::size_t bytes) const {
  std::string out;
  out.reserve(bytes + 64);
  out.push_back(kind);
  put_bytes(out, node_);
  if (kind != kStored) put(out, sequence);
  put_bytes(out, about.bytes);
  return out;
}

std::string Payloads::encode(std::span<const chat::Message* const> messages) const {
  return encode(kStored, messages, 0);
}

std::string Payloads::encode_live(std::span<const chat::Message* const> messages,
                                  std::uint64_t sequence) const {
  return encode(kLive, messages, sequence);
}

std::string Payloads::encode(char kind, std::span<const chat::Message* const> messages,
                             std::uint64_t sequence) const {
  std::string out = begin(kind, sequence, messages.front()->room.value, bytes_of(messages));
  put_messages(out, messages);
  put_bytes(out, seal_.mac(out));
  return out;
}

std::string Payloads::encode(const chat::UserNews& news, std::uint64_t sequence) const {
  std::string out = begin(kNews, sequence, news.whom.value, news.body.size());
  put(out, static_cast<std::uint32_t>(news.body.size()));
  out += news.body;
  put_bytes(out, seal_.mac(out));
  return out;
}

std::optional<Payloads::Decoded> Payloads::open(std::string_view payload, char& kind,
                                                std::string_view& rest) const {
  if (payload.size() < Seal::kBytes || payload.size() > kBytesMax) return std::nullopt;
  const std::string_view signed_part = payload.substr(0, payload.size() - Seal::kBytes);
  Reader reader(signed_part);
  kind = reader.number<char>();
  if (kind < kStored || kind > kNews) return std::nullopt;
  Decoded decoded;
  const std::string_view node = reader.take(node_.size());
  if (reader.failed()) return std::nullopt;
  std::copy(node.begin(), node.end(), decoded.node.begin());
  // Unread: who forges this only has his payload ignored.
  decoded.own = decoded.node == node_;
  if (decoded.own) return decoded;
  if (!seal_.is_mac(payload.substr(signed_part.size()), signed_part)) return std::nullopt;
  if (kind != kStored) {
    decoded.sequence = reader.number<std::uint64_t>();
    if (decoded.sequence == 0) return std::nullopt;
  }
  rest = reader.rest();
  return decoded;
}

std::optional<Payloads::Decoded> Payloads::decode_news(std::string_view payload) const {
  char kind = 0;
  std::string_view rest;
  auto decoded = open(payload, kind, rest);
  if (!decoded || kind != kNews) return std::nullopt;
  if (decoded->own) return decoded;
  Reader reader(rest);
  chat::UserNews news;
  news.whom.value = reader.uuid();
  news.body = reader.take(reader.number<std::uint32_t>());
  if (!reader.whole()) return std::nullopt;
  decoded->news = std::move(news);
  return decoded;
}

std::optional<Payloads::Decoded> Payloads::decode(const RoomId& room,
                                                  std::string_view payload) const {
  char kind = 0;
  std::string_view rest;
  auto decoded = open(payload, kind, rest);
  if (!decoded || kind == kNews) return std::nullopt;
  if (decoded->own) return decoded;
  Reader reader(rest);
  if (reader.uuid() != room.value) return std::nullopt;
  auto messages = take_messages(reader, room, kind == kLive);
  if (!messages) return std::nullopt;
  decoded->messages = std::move(*messages);
  return decoded;
}

}  // namespace rtc::relay

#include "relay/payload.hpp"

#include <algorithm>

#include "base/random.hpp"

namespace rtc::relay {
namespace {

constexpr char kStored = 1;
constexpr char kLive = 2;
constexpr char kNews = 3;
constexpr MessageId kIdMax = (MessageId{1} << 53) - 1;

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
  std::size_t size = 0;
  for (const chat::Message* each : messages) size += each->text.size() + 128;
  std::string out = begin(kind, sequence, messages.front()->room.value, size);
  put(out, static_cast<std::uint16_t>(messages.size()));
  for (const chat::Message* each : messages) {
    put(out, each->id);
    put(out, each->created_at_ms);
    put_bytes(out, each->sender.id().value.bytes);
    put_short(out, each->sender.nickname());
    put_short(out, each->sender.name_tag());
    put_short(out, each->sender.address());
    put(out, static_cast<std::uint32_t>(each->text.size()));
    out += each->text;
  }
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
  const auto count = reader.number<std::uint16_t>();
  for (std::size_t i = 0; i < count && !reader.failed(); ++i) {
    chat::Message message;
    message.room = room;
    message.live = kind == kLive;
    message.id = reader.number<MessageId>();
    message.created_at_ms = reader.number<std::int64_t>();
    chat::Identity sender;
    sender.id.value = reader.uuid();
    sender.nickname = reader.short_text();
    sender.name_tag = reader.short_text();
    sender.address = reader.short_text();
    message.sender = chat::SharedIdentity(sender);
    message.text = reader.take(reader.number<std::uint32_t>());
    const MessageId before = decoded->messages.empty() ? 0 : decoded->messages.back().id;
    if (message.id <= before || message.id > kIdMax) return std::nullopt;
    decoded->messages.push_back(std::move(message));
  }
  if (count == 0 || !reader.whole()) return std::nullopt;
  return decoded;
}

}  // namespace rtc::relay

#include "server/broker_message.hpp"

#include <algorithm>

#include "base/utf8.hpp"
#include "stomp/writer.hpp"

namespace rtc::server {
namespace {

// What a message costs beside its texts: itself, its places in a queue and in mail.
constexpr std::size_t kOverhead = 512;
constexpr std::size_t kHeaderOverhead = 64;

// Headers that say something to the server, or that only the server says; and secrets.
constexpr std::array<std::string_view, 18> kKept{
    "destination",   "content-length", "receipt",      "receipt-id",
    "transaction",   "message-id",     "subscription", "ack",
    "redelivered",   "user-name",      "session",      "id",
    "message-key",   "token",          "login",        "passcode",
    "Authorization", "heart-beat"};

// All beyond ASCII that clients' languages take for blanks at the ends of a text: JavaScript's
// trim() (ECMA-262, "WhiteSpace", "LineTerminator"), and what others add (U+0085, U+180E, U+200B).
constexpr std::array<std::string_view, 22> kWideBlanks{
    "\u0085", "\u00A0", "\u1680", "\u180E", "\u2000", "\u2001", "\u2002", "\u2003",
    "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u200B",
    "\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\uFEFF"};

bool is_narrow_blank(char c) {
  return static_cast<unsigned char>(c) <= ' ' || c == '\x7F' || c == ':';
}

std::size_t blank_in_front(std::string_view text) {
  if (!text.empty() && is_narrow_blank(text.front())) return 1;
  for (const std::string_view blank : kWideBlanks) {
    if (text.starts_with(blank)) return blank.size();
  }
  return 0;
}

std::size_t blank_behind(std::string_view text) {
  if (!text.empty() && is_narrow_blank(text.back())) return 1;
  for (const std::string_view blank : kWideBlanks) {
    if (text.ends_with(blank)) return blank.size();
  }
  return 0;
}

// Some clients trim names or fold line ends: what would then be the server's is not passed on.
bool is_kept(std::string_view name) {
  while (const std::size_t blank = blank_in_front(name)) name.remove_prefix(blank);
  while (const std::size_t blank = blank_behind(name)) name.remove_suffix(blank);
  return name.empty() || std::find(kKept.begin(), kKept.end(), name) != kKept.end();
}

BrokerMessage::Headers passed_on(const stomp::Frame& frame) {
  BrokerMessage::Headers headers;
  for (const auto& [name, value] : frame.headers) {
    if (!is_kept(name)) headers.emplace_back(name, value);
  }
  return headers;
}

// Media types and charsets in any case (RFC 9110, section 8.3.1).
bool is_text_type(std::string_view written) {
  constexpr std::array<std::string_view, 4> kTexts{"json", "xml", "javascript",
                                                   "x-www-form-urlencoded"};
  std::string type(written);
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return type.empty() || type.starts_with("text/") ||
         std::any_of(kTexts.begin(), kTexts.end(),
                     [&](std::string_view each) { return type.find(each) != type.npos; });
}

std::uint64_t bytes_of(const stomp::Frame& frame) {
  std::uint64_t bytes = kOverhead + frame.body.size();
  for (const auto& [name, value] : frame.headers) {
    bytes += name.size() + value.size() + kHeaderOverhead;
  }
  return bytes;
}

// SockJS carries text only: what is none becomes U+FFFD, byte by byte.
std::string as_text(std::string_view body) {
  std::string text;
  while (!body.empty()) {
    std::size_t size = 1;
    while (size <= 4 && size <= body.size() && !is_utf8(body.substr(0, size))) ++size;
    const bool valid = size <= 4 && size <= body.size();
    if (!valid) size = 1;
    text += valid ? body.substr(0, size) : "\xEF\xBF\xBD";
    body.remove_prefix(size);
  }
  return text;
}

}  // namespace

BrokerMessage::BrokerMessage(const BrokerTarget& target, const stomp::Frame& frame,
                             std::string sender_id, std::atomic<std::uint64_t>& total)
    : kind(target.kind),
      destination(target.destination),
      session(target.session),
      sender(std::move(sender_id)),
      headers(passed_on(frame)),
      body(frame.body),
      binary(!is_text_type(frame.get("content-type")) || !is_utf8(frame.body)),
      held(total, bytes_of(frame)) {}

std::string BrokerMessage::id() const {
  const std::string_view prefix = kind == Destination::Kind::queue   ? kQueueIdPrefix
                                  : kind == Destination::Kind::topic ? kTopicIdPrefix
                                                                     : kUserIdPrefix;
  return std::string(prefix) + std::to_string(number);
}

void BrokerFrames::append_head(std::string& out, const Group& group, bool redelivered) {
  const Variant& variant = group.variant();
  std::string head;
  stomp::Writer writer(head, stomp::Command::message, variant.version);
  if (!variant.subscription_id.empty()) writer.header("subscription", variant.subscription_id);
  if (variant.acks && variant.version == stomp::Version::v1_2) writer.header("ack", id_);
  if (redelivered) writer.header("redelivered", "true");
  const FramedTail& tail = tail_of(variant);
  append_framed_head(out, variant.framing, head, tail.bytes.size(), tail.compressed,
                     message_.binary);
}

const FramedTail& BrokerFrames::tail_of(const Variant& variant) {
  const auto deflate = deflate_ == nullptr ? websocket::Deflate::off
                                           : deflate_->of(message_.body.size(), variant.deflate);
  FramedTail& tail =
      tails_[static_cast<std::size_t>(variant.framing)][static_cast<std::size_t>(variant.version)]
            [static_cast<std::size_t>(deflate)];
  if (tail.bytes.size() > 0) return tail;
  const bool sockjs = variant.framing == Framing::sockjs || variant.framing == Framing::sockjs_http;
  const bool text_only = sockjs && message_.binary;
  const std::string replaced = text_only ? as_text(message_.body) : "";
  const std::string_view body = text_only ? replaced : message_.body;
  std::string text;
  stomp::Writer writer(text, stomp::Command::message, variant.version);
  const std::size_t begin = text.size();  // the command is the head's
  writer.header("destination", message_.destination)
      .header("message-id", id_)
      .header("user-name", message_.sender)
      .header("content-length", body.size());
  // Behind the server's: where a name comes twice, the first counts.
  for (const auto& [name, value] : message_.headers) writer.header(name, value);
  writer.end_headers();
  text += body;
  const std::string plain = framed_tail(variant.framing, std::string_view(text).substr(begin));
  tail = deflate_ == nullptr ? FramedTail{net::Bytes::copy(plain)} : deflate_->tail(plain, deflate);
  return tail;
}

net::Bytes BrokerFrames::whole(const Group& group, bool redelivered) {
  std::string frame;
  append_head(frame, group, redelivered);
  frame += tail(group.variant());
  return net::Bytes::copy(frame);
}

}  // namespace rtc::server

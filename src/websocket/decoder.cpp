// The decoder's state machine: header bytes, then payload of a data or a control frame.
#include "websocket/decoder.hpp"

#include <algorithm>
#include <cstring>

namespace rtc::websocket {
namespace {

constexpr std::uint8_t kRsvBits = 0x70;
constexpr std::uint8_t kRsv1 = 0x40;
constexpr std::uint8_t kMaskBit = 0x80;
constexpr std::uint8_t kLengthBits = 0x7F;
constexpr std::uint8_t kLength16 = 126;
constexpr std::uint8_t kLength64 = 127;

bool is_control(Opcode opcode) {
  return static_cast<std::uint8_t>(opcode) >= 0x8;
}

bool is_known(Opcode opcode) {
  switch (opcode) {
    case Opcode::continuation:
    case Opcode::text:
    case Opcode::binary:
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong:
      return true;
  }
  return false;
}

// Codes that a peer may send (RFC 6455, sections 7.4.1 and 7.4.2; 1012-1014 by IANA's registry).
bool is_close_code(unsigned code) {
  if (code >= 3000) return code <= 4999;
  return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}

void unmask(std::span<char> bytes, const std::array<std::uint8_t, 4>& key) {
  std::array<std::uint8_t, 8> twice{};
  std::copy(key.begin(), key.end(), twice.begin());
  std::copy(key.begin(), key.end(), twice.begin() + 4);
  std::uint64_t wide_key = 0;
  std::memcpy(&wide_key, twice.data(), sizeof wide_key);

  char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= sizeof wide_key; left -= sizeof wide_key, at += sizeof wide_key) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    word ^= wide_key;
    std::memcpy(at, &word, sizeof word);
  }
  for (std::size_t i = 0; i < left; ++i) at[i] = static_cast<char>(at[i] ^ twice[i]);
}

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

Event Decoder::next(std::span<char>& input) {
  if (state_ != State::control) control_.reset();  // the call before handed it out
  // Some bytes make no event: an empty fragment, a piece of a compressed message.
  while (state_ == State::header || (state_ == State::data && message_compressed_)) {
    if (state_ == State::data && (payload_left_ == 0 || !input.empty())) {
      collect(input);
      continue;
    }
    if (input.empty()) return {};
    std::string_view reason;
    if (const std::uint16_t code = take_header(input, reason)) return fail(code, reason);
  }
  if (state_ == State::data) return take_data(input);
  if (state_ == State::control) return take_control(input);
  if (state_ == State::inflating) return take_inflated();
  input = {};
  return {};
}

std::size_t Decoder::header_bytes() const {
  if (header_have_ < 2) return 2;
  const std::uint8_t length = header_[1] & kLengthBits;
  if (length == kLength16) return 2 + 2 + 4;
  if (length == kLength64) return 2 + 8 + 4;
  return 2 + 4;
}

std::uint16_t Decoder::take_header(std::span<char>& input, std::string_view& reason) {
  std::size_t used = 0;
  while (used < input.size()) {
    header_[header_have_++] = static_cast<std::uint8_t>(input[used++]);
    if (header_have_ <= 2) {
      if (const std::uint16_t code = check_start(reason)) return code;
    } else if (header_have_ == header_bytes()) {
      input = input.subspan(used);
      return begin_payload(reason);
    }
  }
  input = {};
  return 0;
}

// Judges the first two bytes, each as soon as it is there.
std::uint16_t Decoder::check_start(std::string_view& reason) const {
  const auto wrong = [&reason](std::string_view why) {
    reason = why;
    return kCloseProtocolError;
  };
  if (header_have_ == 1) {
    if (!is_known(opcode())) return wrong("unknown opcode");
    // RFC 7692, section 6: RSV1 is for the first frame of a message.
    const bool may_be_compressed =
        inflater_ != nullptr && (opcode() == Opcode::text || opcode() == Opcode::binary);
    if ((header_[0] & kRsvBits & (may_be_compressed ? ~kRsv1 : 0xFF)) != 0) {
      return wrong("reserved bits are set");
    }
    if (is_control(opcode())) return final_frame() ? 0 : wrong("a control frame is fragmented");
    const bool continues = opcode() == Opcode::continuation;
    if (continues && fragments_ == 0) return wrong("a continuation without a message");
    if (!continues && fragments_ > 0) return wrong("a new message inside a fragmented one");
    return 0;
  }
  if ((header_[1] & kMaskBit) == 0) return wrong("a client's frame is not masked");
  if (is_control(opcode()) && (header_[1] & kLengthBits) > kControlBytesMax) {
    return wrong("a control frame is longer than 125 bytes");
  }
  return 0;
}

// The header is whole: reads length and mask and goes over to the payload.
std::uint16_t Decoder::begin_payload(std::string_view& reason) {
  const std::span<const std::uint8_t> header(header_.data(), header_have_);
  const std::span<const std::uint8_t> extended = header.subspan(2, header.size() - 6);
  std::uint64_t length = header_[1] & kLengthBits;
  if (!extended.empty()) {
    length = big_endian(extended);
    const bool wide = extended.size() == 8;
    if (length < kLength16 || (wide && length <= 0xFFFF)) {
      reason = "a length is not in its shortest form";
      return kCloseProtocolError;
    }
    if (length >> 63 != 0) {
      reason = "a length's highest bit is set";
      return kCloseProtocolError;
    }
  }
  const auto key = header.last(4);
  std::copy(key.begin(), key.end(), mask_.begin());
  payload_left_ = length;
  if (is_control(opcode())) {
    state_ = State::control;
    return 0;
  }

  if (length > limits_->message_bytes_max - message_bytes_) {
    reason = "the message is too big";
    return kCloseMessageTooBig;
  }
  if (fragments_ >= limits_->fragments_max) {
    reason = "the message comes in too many fragments";
    return kClosePolicyViolation;
  }
  if (fragments_ == 0) {
    message_opcode_ = opcode();
    message_compressed_ = (header_[0] & kRsv1) != 0;
  }
  ++fragments_;
  message_bytes_ += length;
  if (length == 0 && !final_frame()) {
    end_frame();
  } else {
    state_ = State::data;
  }
  return 0;
}

// The next bytes of the frame, unmasked.
std::span<char> Decoder::take_payload(std::span<char>& input) {
  const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(payload_left_, input.size()));
  const std::span<char> payload = input.first(size);
  input = input.subspan(size);
  unmask(payload, mask_);
  payload_left_ -= size;
  if (payload_left_ == 0) {
    end_frame();
  } else {
    std::rotate(mask_.begin(), mask_.begin() + size % mask_.size(), mask_.end());
  }
  return payload;
}

Event Decoder::take_data(std::span<char>& input) {
  if (input.empty() && payload_left_ > 0) return {};
  const std::span<char> payload = take_payload(input);
  return data_event(payload, payload_left_ == 0 && final_frame());
}

// Of a compressed message. When it is whole it is begun to be inflated, from where it lies if it
// came in one piece.
void Decoder::collect(std::span<char>& input) {
  const bool whole_so_far = compressed_ == nullptr;
  const std::span<char> payload = take_payload(input);
  const bool whole = payload_left_ == 0 && final_frame();
  if (whole && whole_so_far) {
    inflater_->begin(payload);
  } else {
    if (whole_so_far) compressed_ = std::make_unique<std::string>();
    compressed_->append(payload.data(), payload.size());
    if (!whole) return;
    inflater_->begin(*compressed_);
  }
  state_ = State::inflating;
  message_bytes_ = 0;
}

Event Decoder::take_inflated() {
  const Inflater::Stretch stretch = inflater_->next();
  message_bytes_ += stretch.bytes.size();
  const bool too_big = message_bytes_ > limits_->message_bytes_max;
  if (stretch.corrupt || too_big) inflater_->refuse();
  if (stretch.corrupt) return fail(kCloseInvalidPayload, "a compressed message is corrupt");
  if (too_big) return fail(kCloseMessageTooBig, "the message is too big");
  if (stretch.end) {
    compressed_.reset();
    end_frame();
  }
  return data_event(stretch.bytes, stretch.end);
}

Event Decoder::data_event(std::span<char> payload, bool message_end) {
  Event event;
  event.kind = Event::Kind::data;
  event.opcode = message_opcode_;
  event.payload = payload;
  event.message_begin = !message_begun_;
  event.message_end = message_end;
  event.compressed = message_compressed_;
  if (message_opcode_ == Opcode::text) {
    if (!utf8_.feed({payload.data(), payload.size()}) || (message_end && !utf8_.complete())) {
      return fail(kCloseInvalidPayload, "a text message is not valid UTF-8");
    }
  }
  message_begun_ = !message_end;
  if (message_end) {
    fragments_ = 0;
    message_bytes_ = 0;
    utf8_.reset();
  }
  return event;
}

Event Decoder::take_control(std::span<char>& input) {
  const std::size_t total = header_[1] & kLengthBits;
  const auto left = static_cast<std::size_t>(payload_left_);
  const std::span<char> come = input.first(std::min(left, input.size()));
  input = input.subspan(come.size());
  std::span<char> payload = come;
  if (come.size() < total) {
    if (!control_) control_ = std::make_unique<std::array<char, kControlBytesMax>>();
    std::copy(come.begin(), come.end(), control_->data() + (total - left));
    payload_left_ -= come.size();
    if (payload_left_ > 0) return {};
    payload = std::span<char>(*control_).first(total);
  }
  unmask(payload, mask_);
  if (opcode() == Opcode::close) return close_event(payload);

  Event event;
  event.kind = opcode() == Opcode::ping ? Event::Kind::ping : Event::Kind::pong;
  event.payload = payload;
  end_frame();
  return event;
}

Event Decoder::close_event(std::span<char> payload) {
  if (payload.size() == 1) return fail(kCloseProtocolError, "a Close has half a code");
  Event event;
  event.kind = Event::Kind::close;
  event.code = kCloseNoStatus;
  if (!payload.empty()) {
    event.code = static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                            static_cast<std::uint8_t>(payload[1]));
    event.payload = payload.subspan(2);
    if (!is_close_code(event.code)) return fail(kCloseProtocolError, "a Close has a false code");
    if (!is_utf8({event.payload.data(), event.payload.size()})) {
      return fail(kCloseInvalidPayload, "a Close's reason is not valid UTF-8");
    }
  }
  state_ = State::ended;
  return event;
}

Event Decoder::fail(std::uint16_t code, std::string_view reason) {
  state_ = State::ended;
  compressed_.reset();
  Event event;
  event.kind = Event::Kind::error;
  event.code = code;
  event.reason = reason;
  return event;
}

void Decoder::end_frame() {
  state_ = State::header;
  header_have_ = 0;
}

}  // namespace rtc::websocket

// Any bytes, however cut, give the same events, and none beyond the limits.
// Input: one byte that chooses the size of the pieces and, by its highest bit, whether
// permessage-deflate was agreed on; then the stream.
#include "base/utf8.hpp"
#include "require.hpp"
#include "unit/websocket/client_frames.hpp"
#include "websocket/decoder.hpp"

namespace {

using rtc::fuzz::require;
using rtc::websocket::DecoderLimits;
using rtc::websocket::Event;

using rtc::websocket::Inflater;

constexpr DecoderLimits kLimits{.message_bytes_max = 300, .fragments_max = 5};

void check_event(const Event& event, std::span<const char> input) {
  const auto holds = [&](std::span<const char> part) {
    return part.empty() || (part.data() >= input.data() &&
                            part.data() + part.size() <= input.data() + input.size());
  };
  switch (event.kind) {
    case Event::Kind::need_more:
      break;
    case Event::Kind::data:
      require(event.compressed || holds(event.payload), "a stretch lies in the input");
      require(event.payload.size() <= Inflater::kStretchBytesMax, "stretches are short");
      break;
    case Event::Kind::ping:
    case Event::Kind::pong:
    case Event::Kind::close:
      require(event.payload.size() <= 125, "control frames are short");
      break;
    case Event::Kind::error:
      require(!event.reason.empty() && event.code != 0, "errors tell");
      break;
  }
}

// The stream in one piece, event by event.
void check_whole(std::string stream, Inflater* inflater) {
  rtc::websocket::Decoder decoder(kLimits, inflater);
  std::span<char> input(stream);
  std::string message;
  bool ended = false;
  while (true) {
    const Event event = decoder.next(input);
    if (event.kind == Event::Kind::need_more) break;
    require(!ended, "nothing comes after a close or an error");
    check_event(event, stream);
    require(!event.compressed || inflater != nullptr, "nothing is inflated unasked");
    ended = event.kind == Event::Kind::close || event.kind == Event::Kind::error;
    if (event.kind != Event::Kind::data) continue;
    if (event.message_begin) message.clear();
    message.append(event.payload.begin(), event.payload.end());
    require(message.size() <= kLimits.message_bytes_max, "messages are within the limit");
    if (event.message_end && event.opcode == rtc::websocket::Opcode::text) {
      require(rtc::is_utf8(message), "text is UTF-8");
    }
  }
  require(input.empty(), "all input is used up");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static Inflater inflater_of_all;
  Inflater* const inflater = data[0] >= 128 ? &inflater_of_all : nullptr;
  const std::size_t piece_bytes = 1U + data[0] % 32U;
  const std::string stream(data + 1, data + size);
  check_whole(stream, inflater);
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < stream.size(); at += piece_bytes) {
    pieces.push_back(stream.substr(at, piece_bytes));
  }
  require(rtc::websocket::test::decode({stream}, kLimits, inflater) ==
              rtc::websocket::test::decode(pieces, kLimits, inflater),
          "every cut gives the same events");
  return 0;
}

// Any bytes: what is read is UTF-8 and comes back after it was written; what is written is read.
#include <algorithm>
#include <cstddef>

#include "base/utf8.hpp"
#include "require.hpp"
#include "sockjs/framing.hpp"
#include "sockjs/transport.hpp"

namespace {

using rtc::fuzz::require;

void check_round_trip(std::string_view message) {
  std::string frame;
  rtc::sockjs::append_array_frame(frame, message);
  require(rtc::is_utf8(frame), "frames are UTF-8");
  for (const char c : frame) require(static_cast<unsigned char>(c) >= 0x20, "controls are escaped");
  const auto again = rtc::sockjs::parse_messages(std::string_view(frame).substr(1));
  require(again.ok() && again->size() == 1 && again->front() == message, "a frame is read back");
}

// What stands in a script cannot end it, whatever the messages say. As all frames it is UTF-8.
void check_bodies(std::string_view text) {
  using rtc::sockjs::Transport;
  std::string frame;
  rtc::sockjs::append_array_frame(frame, text);
  const std::string script = rtc::sockjs::in_body(Transport::jsonp, frame, "cb");
  require(script.find('<') == script.npos, "no tag in a script");
  const std::string event = rtc::sockjs::in_body(Transport::eventsource, frame, "");
  require(event.find_first_of("\r\n") == event.size() - 4, "one line an event");
  const std::string page = rtc::sockjs::in_body(Transport::htmlfile, frame, "cb");
  require(page.find("</script>") == page.size() - 11, "one script a frame");
}

void check_requests(const std::string& text) {
  const std::string payload = rtc::sockjs::form_payload("application/x-www-form-urlencoded", text);
  require(payload.size() <= text.size(), "decoding makes shorter");
  require(rtc::sockjs::form_payload("", text) == text, "what is no form is the payload");
  if (rtc::sockjs::is_callback(text)) {
    require(text.find_first_of("<>()\"'\\;\r\n ") == text.npos, "callbacks are names");
  }
  if (rtc::sockjs::is_iframe_path(text)) require(text.starts_with("/iframe"), "an iframe's path");
}

// The payloads of a session in turn, its pieces at LF: what comes out is UTF-8 whatever came
// before; a payload that parses is read, each message of it, and whatever is read parses or held a
// half.
void check_reader(std::string_view text) {
  rtc::sockjs::MessageReader reader;
  while (!text.empty()) {
    const std::string_view payload = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(payload.size() + 1, text.size()));
    const auto parsed = rtc::sockjs::parse_messages(payload);
    const auto read = reader.read(payload);
    if (parsed.ok()) {
      require(read.ok() && read->size() >= parsed->size(), "what parses is read");
      // A half that waited, and never got its other one, stands before what came.
      for (std::size_t i = 0; i < parsed->size(); ++i) {
        require((*read)[read->size() - parsed->size() + i].ends_with((*parsed)[i]),
                "whole messages are read as they are");
      }
    }
    if (!read.ok()) return;  // the session ends with it
    for (const std::string& message : *read) {
      require(rtc::is_utf8(message), "messages that were read are UTF-8");
    }
  }
}

// A pair of surrogates is the character, wherever it is cut in two.
void check_cut_pair(std::string_view text) {
  if (text.size() < 4 || !rtc::is_utf8(text.substr(0, 4)) ||
      (static_cast<unsigned char>(text[0]) & 0xF8) != 0xF0) {
    return;
  }
  std::string escaped;
  rtc::sockjs::append_escaped(escaped, text.substr(0, 4));
  if (escaped.size() != 12) return;  // it needs no escape
  rtc::sockjs::MessageReader reader;
  const auto first = reader.read("[\"" + escaped.substr(0, 6) + "\"]");
  const auto second = reader.read("[\"" + escaped.substr(6) + "\"]");
  require(first.ok() && second.ok(), "halves are read");
  std::string joined;
  for (const auto* part : {&*first, &*second}) {
    for (const std::string& message : *part) joined += message;
  }
  require(joined == text.substr(0, 4), "halves are joined");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  std::string any;
  rtc::sockjs::append_array_frame(any, text);
  rtc::sockjs::append_close_frame(any, 3000, text);
  if (rtc::is_utf8(text)) {
    check_round_trip(text);
    check_bodies(text);
  }
  check_requests(text);
  check_reader(text);
  check_cut_pair(text);

  if (const auto messages = rtc::sockjs::parse_messages(text)) {
    for (const std::string& message : *messages) {
      require(rtc::is_utf8(message), "messages are UTF-8");
      check_round_trip(message);
    }
  }
  if (const auto path = rtc::sockjs::parse_session_path(text)) {
    std::string again;
    for (const std::string_view segment : {path->server, path->session, path->transport}) {
      require(!segment.empty(), "segments are not empty");
      again.append("/").append(segment);
    }
    require(again == text, "a path is its segments");
  }
  return 0;
}

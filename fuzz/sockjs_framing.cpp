// Any bytes: what is read is UTF-8 and comes back after it was written; what is written is read.
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

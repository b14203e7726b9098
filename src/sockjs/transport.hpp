// The transports of SockJS 0.3.3 that go over HTTP requests: their names, and how a frame (`o`,
// `h`, `a[…]`, `c[…]`) stands in the body of an answer. Strings in, strings out, no socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace rtc::sockjs {

enum class Transport : std::uint8_t {
  websocket,
  xhr,            // a POST that is answered with the next frame
  xhr_streaming,  // one that is answered with frame after frame
  eventsource,    // a GET that is answered so, as server-sent events
  htmlfile,       // as a page that grows, for an iframe
  jsonp,          // a GET that is answered with the next frame, as a script
  xhr_send,       // client to server: a JSON array of strings
  jsonp_send,     // the same, as a form
};

// The last segment of a session's path.
std::optional<Transport> parse_transport(std::string_view name);

// Whether the client receives by it; and whether one answer carries many frames.
bool receives(Transport transport);
bool streams(Transport transport);
// Whether its address is asked with GET; else POST.
bool is_get(Transport transport);
// Whether it needs the query parameter `c`, the name of a JavaScript function.
bool needs_callback(Transport transport);

// Of the answer's body, for a transport that receives.
std::string_view content_type(Transport transport);

// What a streamed answer begins with, so that browsers hand out what follows as it comes.
std::string prelude(Transport transport, std::string_view callback);

// `frame` as it stands in the body. It is free of line ends, as frames of framing.hpp are.
std::string in_body(Transport transport, std::string_view frame, std::string_view callback);

// Whether `name` may be written into a script: letters, digits, '-', '_' and '.'.
bool is_callback(std::string_view name);

// The payload in a jsonp_send body: of a form its field `d`, else the body. "" when there is none.
std::string form_payload(std::string_view content_type, std::string_view body);

// Whether `rest` (what follows a base path) names the iframe page: /iframe.html,
// /iframe-1.6.1.html.
bool is_iframe_path(std::string_view rest);
// That page: it loads sockjs-client from `client_url` and lets it speak for the page around it.
std::string iframe_page(std::string_view client_url);

}  // namespace rtc::sockjs

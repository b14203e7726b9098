#include "sockjs/transport.hpp"

#include <algorithm>
#include <array>

#include "sockjs/framing.hpp"

namespace rtc::sockjs {
namespace {

// Internet Explorer and old WebKit hold a response back until so much of it has come.
constexpr std::size_t kXhrPreludeBytes = 2048;
constexpr std::size_t kHtmlPreludeBytes = 1024;

constexpr std::string_view kHtmlHead =
    "<!doctype html>\n"
    "<html><head>\n"
    "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
    "  <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n"
    "</head><body><h2>Don't panic!</h2>\n"
    "  <script>\n"
    "    document.domain = document.domain;\n"
    "    var c = parent.";
constexpr std::string_view kHtmlTail =
    ";\n"
    "    c.start();\n"
    "    function p(d) {c.message(d);};\n"
    "    window.onload = function() {c.stop();};\n"
    "  </script>\n";

constexpr std::string_view kIframeHead =
    "<!DOCTYPE html>\n"
    "<html>\n"
    "<head>\n"
    "  <meta http-equiv=\"X-UA-Compatible\" content=\"IE=edge\" />\n"
    "  <meta http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\" />\n"
    "  <script src=\"";
constexpr std::string_view kIframeTail =
    "\"></script>\n"
    "  <script>\n"
    "    document.domain = document.domain;\n"
    "    SockJS.bootstrap_iframe();\n"
    "  </script>\n"
    "</head>\n"
    "<body>\n"
    "  <h2>Don't panic!</h2>\n"
    "  <p>This is a SockJS hidden iframe. It's used for cross domain magic.</p>\n"
    "</body>\n"
    "</html>\n";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// The frame as a JavaScript string that may stand within a <script>.
std::string in_script(std::string_view frame) {
  std::string escaped;
  append_escaped(escaped, frame);
  std::string out = "\"";
  for (const char c : escaped) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out.push_back(c);
    }
  }
  return out += "\"";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A value of an application/x-www-form-urlencoded body; a broken escape stands for itself.
std::string decode_form(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

}  // namespace

std::optional<Transport> parse_transport(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, Transport>, 8> kNames{{
      {"websocket", Transport::websocket},
      {"xhr", Transport::xhr},
      {"xhr_streaming", Transport::xhr_streaming},
      {"eventsource", Transport::eventsource},
      {"htmlfile", Transport::htmlfile},
      {"jsonp", Transport::jsonp},
      {"xhr_send", Transport::xhr_send},
      {"jsonp_send", Transport::jsonp_send},
  }};
  for (const auto& [each, transport] : kNames) {
    if (each == name) return transport;
  }
  return std::nullopt;
}

bool receives(Transport transport) {
  return transport != Transport::websocket && transport != Transport::xhr_send &&
         transport != Transport::jsonp_send;
}

bool streams(Transport transport) {
  return transport == Transport::xhr_streaming || transport == Transport::eventsource ||
         transport == Transport::htmlfile;
}

bool is_get(Transport transport) {
  return transport == Transport::websocket || transport == Transport::eventsource ||
         needs_callback(transport);
}

bool needs_callback(Transport transport) {
  return transport == Transport::htmlfile || transport == Transport::jsonp;
}

std::string_view content_type(Transport transport) {
  if (transport == Transport::eventsource) return "text/event-stream";
  if (transport == Transport::htmlfile) return "text/html; charset=UTF-8";
  return "application/javascript; charset=UTF-8";
}

std::string prelude(Transport transport, std::string_view callback) {
  if (transport == Transport::xhr_streaming) return std::string(kXhrPreludeBytes, 'h') + "\n";
  if (transport == Transport::eventsource) return "\r\n";
  std::string page(kHtmlHead);
  page.append(callback).append(kHtmlTail);
  if (page.size() < kHtmlPreludeBytes) page.append(kHtmlPreludeBytes - page.size(), ' ');
  return page += "\r\n\r\n";
}

std::string in_body(Transport transport, std::string_view frame, std::string_view callback) {
  switch (transport) {
    case Transport::eventsource:
      return "data: " + std::string(frame) + "\r\n\r\n";
    case Transport::htmlfile:
      return "<script>\np(" + in_script(frame) + ");\n</script>\r\n";
    case Transport::jsonp:
      // The comment keeps a callback's name from being the first bytes of something else.
      return "/**/" + std::string(callback) + "(" + in_script(frame) + ");\r\n";
    default:
      return std::string(frame) + "\n";
  }
}

bool is_callback(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

std::string form_payload(std::string_view content_type, std::string_view body) {
  constexpr std::string_view kForm = "application/x-www-form-urlencoded";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  const bool form = content_type.size() >= kForm.size() &&
                    std::equal(kForm.begin(), kForm.end(), content_type.begin(),
                               [&](char each, char any) { return each == lower(any); });
  if (!form) return std::string(body);
  while (!body.empty()) {
    const std::string_view field = body.substr(0, body.find('&'));
    if (field.starts_with("d=")) return decode_form(field.substr(2));
    body.remove_prefix(std::min(field.size() + 1, body.size()));
  }
  return {};
}

bool is_iframe_path(std::string_view rest) {
  constexpr std::string_view kBegin = "/iframe";
  constexpr std::string_view kEnd = ".html";
  if (!rest.starts_with(kBegin) || !rest.ends_with(kEnd)) return false;
  if (rest.size() < kBegin.size() + kEnd.size()) return false;
  const std::string_view version =
      rest.substr(kBegin.size(), rest.size() - kBegin.size() - kEnd.size());
  return version.empty() ||
         (version.front() == '-' && std::all_of(version.begin(), version.end(), [](char c) {
            return is_alphanumeric(c) || c == '-' || c == '_' || c == '.';
          }));
}

std::string iframe_page(std::string_view client_url) {
  return std::string(kIframeHead).append(client_url).append(kIframeTail);
}

}  // namespace rtc::sockjs

#include "server/framing.hpp"

#include <array>

#include "sockjs/framing.hpp"
#include "websocket/deflate.hpp"
#include "websocket/encoder.hpp"

namespace rtc::server {

void append_framed(std::string& out, Framing framing, std::string_view stomp) {
  if (framing == Framing::websocket) {
    websocket::append_frame(out, websocket::Opcode::text, stomp);
    return;
  }
  if (framing == Framing::bare) {
    out += stomp;
    return;
  }
  if (framing == Framing::sockjs_http) {
    out.push_back('"');
    sockjs::append_escaped(out, stomp);
    out += "\",";
    return;
  }
  std::string array;
  sockjs::append_array_frame(array, stomp);
  websocket::append_frame(out, websocket::Opcode::text, array);
}

std::string framed_tail(Framing framing, std::string_view body) {
  std::string tail;
  if (framing == Framing::websocket || framing == Framing::bare) {
    tail = body;
    tail.push_back('\0');
  } else {
    sockjs::append_escaped(tail, body);
    tail += framing == Framing::sockjs ? "\\u0000\"]" : "\\u0000\",";
  }
  return tail;
}

FramedTail SharedDeflate::tail(std::string_view plain, websocket::Deflate deflate) const {
  std::string shorter;
  if (deflate != websocket::Deflate::off) {
    deflater.append_end(shorter, plain, deflate);
    if (shorter.size() < plain.size()) return {net::Bytes::copy(shorter), true};
  }
  return {net::Bytes::copy(plain), false};
}

void append_framed_head(std::string& out, Framing framing, std::string_view stomp_head,
                        std::size_t tail_bytes, bool compressed, bool binary) {
  if (framing == Framing::bare) {
    out += stomp_head;
    return;
  }
  if (framing == Framing::sockjs_http) {
    out.push_back('"');
    sockjs::append_escaped(out, stomp_head);
    return;
  }
  std::string array;
  if (framing == Framing::sockjs) {
    array = "a[\"";
    sockjs::append_escaped(array, stomp_head);
    stomp_head = array;
  }
  std::array<char, websocket::kHeaderBytesMax> header{};
  const std::size_t head_bytes =
      compressed ? websocket::Deflater::stored_bytes(stomp_head.size()) : stomp_head.size();
  const auto opcode =
      binary && framing == Framing::websocket ? websocket::Opcode::binary : websocket::Opcode::text;
  out.append(header.data(),
             websocket::write_header(opcode, head_bytes + tail_bytes, header.data(), compressed));
  if (compressed) {
    websocket::Deflater::append_stored(out, stomp_head);
  } else {
    out.append(stomp_head);
  }
}

}  // namespace rtc::server

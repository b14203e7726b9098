// The answer to a SockJS request by which a client receives: one frame of a poll, or frame after
// frame of a streamed one, up to its limit. The loop's thread only.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "http/response.hpp"
#include "server/http_connection.hpp"
#include "sockjs/transport.hpp"

namespace rtc::server {

class SockJsAnswer {
 public:
  // `head` is the answer without its body; `bytes_max`: see is_last().
  SockJsAnswer(HttpConnection& connection, sockjs::Transport transport, std::string callback,
               http::Response head, std::size_t bytes_max);

  // Once, first. `owner` hears when what was written is gone, and, after listen(), when the client
  // is; null: nobody does.
  void begin(HeldResponse* owner);
  void listen() { connection_->listen_for_end(); }
  // A poll's answer is over with its first frame, a streamed one when full().
  bool one_frame() const { return !streams_; }
  bool full() const { return bytes_left_ == 0; }
  void write(std::string_view frame);
  void end();  // nothing more follows; what one_frame() answers ends with write()

  // Whether nothing that was written waits for the client.
  bool ready() const { return !streams_ || connection_->queued_bytes() == 0; }
  std::size_t queued_bytes() const { return connection_->queued_bytes(); }

 private:
  HttpConnection* connection_;
  sockjs::Transport transport_;
  bool streams_;
  std::string callback_;
  http::Response head_;
  std::size_t bytes_left_;
};

}  // namespace rtc::server

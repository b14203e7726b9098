#include "server/sockjs_answer.hpp"

#include <algorithm>

namespace rtc::server {

SockJsAnswer::SockJsAnswer(HttpConnection& connection, sockjs::Transport transport,
                           std::string callback, http::Response head, std::size_t bytes_max)
    : connection_(&connection),
      transport_(transport),
      streams_(sockjs::streams(transport)),
      callback_(std::move(callback)),
      head_(std::move(head)),
      bytes_left_(bytes_max) {}

void SockJsAnswer::begin(HeldResponse* owner) {
  if (!streams_) {
    connection_->hold(owner);
    return;
  }
  connection_->begin_stream(std::move(head_), owner);
  connection_->write_stream(sockjs::prelude(transport_, callback_));
}

void SockJsAnswer::write(std::string_view frame) {
  std::string body = sockjs::in_body(transport_, frame, callback_);
  if (!streams_) {
    head_.body = std::move(body);
    connection_->respond(std::move(head_));
    return;
  }
  bytes_left_ -= std::min(bytes_left_, body.size());
  connection_->write_stream(body);
}

void SockJsAnswer::end() {
  if (streams_) connection_->end_stream();
}

}  // namespace rtc::server

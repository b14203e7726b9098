// A SockJS session over HTTP requests: it outlives each of them. What it carries sends into it; the
// client takes that out by polls, or by a streamed answer. It belongs to the loop that its key
// names (SockJsSessions::owner); a request for it that another loop got moves there first. The
// loop's thread only.
//
// Answers are written once a turn, in flush(), so that a turn's messages go out as one frame and
// nothing is answered from within a call of the application.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/slot_map.hpp"
#include "http/response.hpp"
#include "net/address.hpp"
#include "net/bytes.hpp"
#include "net/timer_wheel.hpp"
#include "server/application.hpp"
#include "server/http_connection.hpp"
#include "server/session_output.hpp"
#include "server/sockjs_answer.hpp"
#include "server/sockjs_service.hpp"
#include "sockjs/framing.hpp"

namespace rtc::server {

class Shard;

class SockJsSession final : private SessionOutput, private HeldResponse, private net::Timer {
 public:
  SockJsSession(Shard& shard, const SockJsService& service, std::string key,
                const net::IpAddress& client);
  ~SockJsSession() override;

  const std::string& key() const { return key_; }
  bool may_be(const UserId& identity) const {
    return application_ == nullptr || application_->may_be(identity);
  }

  // A request to receive. A second one at a time is told so.
  void receive(SockJsAnswer answer);

  bool has_ended() const { return !close_frame_.empty(); }
  bool is_full() const { return sender_.has_value(); }  // a request waits in take()
  // A request with messages, to one that has not ended and is not full; `accepted` is its answer,
  // given when the application can take more. False when the payload is not SockJS.
  bool take(HttpConnection& connection, std::string_view payload, http::Response accepted);

  // Writes what waits, as far as there is an answer to write it into. Once a turn.
  void flush();

 private:
  friend class SockJsSessions;
  // SessionOutput
  Framing framing() const override { return Framing::sockjs_http; }
  const net::IpAddress& client() const override { return client_; }
  void send(const net::Bytes& framed) override;
  void send(std::string_view framed) override { send(net::Bytes::copy(framed)); }
  void ping() override;
  void pause_input() override { paused_ = true; }
  void resume_input() override;
  void close(std::uint16_t code, std::string_view reason) override;
  std::size_t queued_bytes() const override;
  std::uint64_t last_read_ms() const override { return last_read_ms_; }
  std::uint64_t last_write_ms() const override { return last_write_ms_; }

  // HeldResponse
  void on_response_drained() override;
  void on_response_gone() override;

  void on_timer() override;  // a heart-beat; or nobody received for too long
  void write(std::string_view frame);
  void finish();
  void arm();
  void write_waiting();
  void end_slow();
  void answer_sender();
  void need_flush();

  Shard& shard_;
  std::string key_;
  net::IpAddress client_;
  std::unique_ptr<Application> application_;
  sockjs::MessageReader reader_;
  std::optional<SockJsAnswer> receiver_;
  std::vector<net::Bytes> waiting_;  // elements of array frames, each with its comma
  std::size_t waiting_bytes_ = 0;
  std::string close_frame_;           // not "": it has ended; told to whoever asks
  std::optional<SlotHandle> sender_;  // a request of take() that waits for resume_input()
  http::Response accepted_;           // its answer
  std::uint64_t last_read_ms_;
  std::uint64_t last_write_ms_;
  bool opened_ = false;
  bool paused_ = false;
  bool interrupted_ = false;  // the client went away in the middle of an answer
  bool ping_due_ = false;
  bool dirty_ = false;  // in the table's list of those to flush
};

}  // namespace rtc::server

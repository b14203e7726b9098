// What a transport carries: a STOMP session; in the conformance profile, an echo. The counterpart
// of SessionOutput. The loop's thread only.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/uuid.hpp"
#include "net/timer_wheel.hpp"
#include "server/session_output.hpp"

namespace rtc::server {

class Shard;

// Owned by the transport. The timer is for whoever needs one.
class Application : protected net::Timer {
 public:
  ~Application() override = default;

  virtual void on_open() {}  // the transport has said what it begins with
  // Bytes of the stream that the client's messages make together, in any split.
  virtual void on_bytes(std::string_view bytes) = 0;
  virtual void on_message_end() {}  // a message of the transport ended here
  virtual void on_drained() {}      // nothing that was sent waits any more
  // Whether a request that says it is this identity's may be one of the client: false once it said
  // that it is another.
  virtual bool may_be(const UserId& /*identity*/) const { return true; }
  // The client reads too slowly: what waited is forgotten, this is the time for a last word.
  virtual void end_slow() = 0;

 protected:
  void on_timer() override {}
};

// Which one: `echo` and `close` are the conformance profile's.
enum class Carries : std::uint8_t { stomp, echo, close };

// `client`: whose rates count.
std::unique_ptr<Application> make_application(Carries carries, Shard& shard, SessionOutput& output);

}  // namespace rtc::server

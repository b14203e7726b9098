// One user of a chat that is carried in one of several ways: he joins his room and sees what is
// written there. Who measures need not know how it comes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "http_stream.hpp"
#include "session.hpp"

namespace load {

// Called from within a turn; must not destroy a carrier.
class CarrierEvents {
 public:
  virtual ~CarrierEvents() = default;
  virtual void on_joined(std::uint32_t user) = 0;
  // What begins with a stamp; in the room's order.
  virtual void on_text(std::uint32_t user, std::string_view text, std::int64_t read_ns) = 0;
  virtual void on_cut_off(std::uint32_t user, const std::string& why) = 0;
};

class Carrier {
 public:
  virtual ~Carrier() = default;
  // A poller asks; returns false when it still waits for the last answer. The others need no
  // asking.
  virtual bool poll() { return true; }
  // How often the server wants a heart-beat(), in ms; 0: never.
  virtual std::uint32_t beats_wanted_ms() const { return 0; }
  virtual void heart_beat() {}
  virtual Tally tally() const = 0;
};

// STOMP in a WebSocket.
class WebSocketCarrier final : public Carrier, private SessionEvents {
 public:
  WebSocketCarrier(Loop& loop, const Options& options, CarrierEvents& events,
                   const Session::Place& place)
      : events_(events), session_(loop, options, *this, place) {}

  std::uint32_t beats_wanted_ms() const override { return session_.beats_wanted_ms(); }
  void heart_beat() override { session_.send("\n"); }
  Tally tally() const override { return {1, 1, session_.bytes_out(), session_.bytes_in()}; }

 private:
  void on_ready(Session& session) override { events_.on_joined(session.place().index); }
  void on_message(Session& session, std::string_view frame) override;
  void on_receipt(Session& /*session*/) override {}
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override {
    events_.on_cut_off(session.place().index, why);
  }

  CarrierEvents& events_;
  std::size_t stamp_hint_ = 0;
  Session session_;
};

}  // namespace load

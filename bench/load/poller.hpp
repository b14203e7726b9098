// A user who asks again and again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carrier.hpp"

namespace load {

// Short polling: a page of the room's newest messages, again and again, the known ones dropped.
// When the page does not reach back to the last known one, the one before it is asked for too.
class Poller final : public Carrier, private HttpEvents {
 public:
  // `page`: messages to ask for.
  Poller(Loop& loop, const Options& options, CarrierEvents& events, const Session::Place& place,
         std::uint32_t page);

  bool poll() override;
  Tally tally() const override { return stream_.tally(); }

 private:
  void on_body(std::string_view piece, std::int64_t read_ns) override;
  void on_answer(int status) override;
  void on_broken(const std::string& why) override { events_.on_cut_off(place_.index, why); }
  void ask(std::uint64_t before);
  void see();

  struct Message {
    std::uint64_t id;
    std::string text;
  };
  const Options& options_;
  CarrierEvents& events_;
  Session::Place place_;
  std::uint32_t page_;
  HttpStream stream_;
  std::string body_;
  std::int64_t read_ns_ = 0;
  std::vector<Message> found_;  // newest first
  std::uint64_t last_ = 0;      // the newest id that was seen
  bool joined_ = false;
};

}  // namespace load

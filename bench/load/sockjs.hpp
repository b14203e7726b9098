// Users whose STOMP session is carried by SockJS over HTTP.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carrier.hpp"

namespace load {

// What the SockJS sessions say goes over these connections, shared: the descriptors do not suffice
// for two of each. A browser would hold one of its own for it.
class SockJsSenders;

// STOMP in a SockJS session over HTTP: long polling (xhr) or a stream.
class SockJsCarrier final : public Carrier, private HttpEvents {
 public:
  SockJsCarrier(Loop& loop, const Options& options, CarrierEvents& events, SockJsSenders& senders,
                const Session::Place& place);

  std::uint32_t beats_wanted_ms() const override { return beats_wanted_ms_; }
  void heart_beat() override { send("\n"); }
  Tally tally() const override { return stream_.tally(); }
  void on_not_sent(const std::string& why) { cut_off(why); }

 private:
  void on_body(std::string_view piece, std::int64_t read_ns) override;
  void on_answer(int status) override;
  void on_broken(const std::string& why) override { cut_off(why); }
  void receive();
  void send(std::string_view stomp);
  void on_sockjs(std::string_view frame, std::int64_t read_ns);
  void on_stomp(std::string_view frame, std::int64_t read_ns);
  void cut_off(const std::string& why);

  const Options& options_;
  CarrierEvents& events_;
  SockJsSenders& senders_;
  Session::Place place_;
  std::string path_;  // of the session
  HttpStream stream_;
  std::string line_;  // that has not come whole
  std::uint32_t beats_wanted_ms_ = 0;
  std::size_t stamp_hint_ = 0;
  bool cut_off_ = false;
};

class SockJsSenders {
 public:
  SockJsSenders(Loop& loop, const Options& options);
  ~SockJsSenders();
  void send(SockJsCarrier& sender, std::string request);
  Tally tally() const;

 private:
  struct Waiting {
    SockJsCarrier* sender;
    std::string request;
  };
  class Connection;
  void serve(Connection& connection);

  Loop& loop_;
  const Options& options_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Connection*> idle_;
  std::vector<Waiting> waiting_;  // first come first served, from waiting_next_ on
  std::size_t waiting_next_ = 0;
};

}  // namespace load

// Listening sockets: one per address and loop (SO_REUSEPORT), so that the kernel spreads the
// connections over the loops without any hand-over.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "net/address.hpp"
#include "net/loop.hpp"

namespace rtc::net {

// One address to listen on, resolved.
struct ListenAddress {
  std::vector<std::uint8_t> socket_address;  // a sockaddr
  std::string text;                          // "127.0.0.1:8080", for people
  std::string_view setting;                  // that asked for it; errors name it
};

// Resolves HOST:PORT and [IPv6]:PORT, a name to all its addresses. `setting`: a literal. Blocking:
// at start-up only.
Result<std::vector<ListenAddress>> resolve_listen(const std::vector<std::string>& texts,
                                                  std::string_view setting);

// A listening socket, bound and ready. All sockets of one address share it between our loops; an
// address that another program (or another RealTimeChat) holds is refused. Port 0 is not taken.
// Addresses that this machine does not have (no IPv6) give code not_found.
struct ListenSockets {
  std::vector<int> fds;  // as many as asked for; owned by the caller
};
Result<ListenSockets> open_listen_sockets(const ListenAddress& address, std::size_t count);

// Accepts on one socket in one loop. The loop's thread only, once constructed.
class Listener final : public Source, private Timer {
 public:
  // Takes over an accepted, non-blocking socket with TCP_NODELAY set.
  using OnAccept = std::function<void(int fd, const IpAddress& peer)>;

  Listener(Loop& loop, int fd, std::uint32_t accepts_per_turn_max, OnAccept on_accept);
  ~Listener() override;
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

 private:
  static constexpr std::uint64_t kPauseMs = 200;

  void on_ready(bool readable, bool writable) override;
  void on_timer() override;

  Loop& loop_;
  int fd_;
  std::uint32_t accepts_per_turn_max_;
  OnAccept on_accept_;
};

}  // namespace rtc::net

// The place of an upgraded connection in the totals (services.hpp), until it is given back.
#pragma once

#include "net/address.hpp"

namespace rtc::server {

class Totals;

struct Place {
  net::IpAddress client;  // whom it serves: the peer, or who is behind a trusted proxy
  bool peer_exempt;       // the peer was admitted as such: Totals::admit()
  bool counts_client;     // the client was admitted besides: Totals::admit_client()

  // Once, when the connection to `peer` is gone.
  void release(Totals& totals, const net::IpAddress& peer) const;
};

}  // namespace rtc::server

#include "server/services.hpp"

#include <algorithm>

namespace rtc::server {

net::IpAddress rate_key(net::IpAddress address) {
  if (!address.is_v4()) std::fill(address.bytes.begin() + 8, address.bytes.end(), 0);
  return address;
}

bool Totals::admit(const net::IpAddress& address, bool exempt, const Config& config) {
  if (connections.fetch_add(1, std::memory_order_relaxed) < config.connections_max) {
    if (exempt || admit_client(address, config)) return true;
  } else {
    refused_connections.fetch_add(1, std::memory_order_relaxed);
  }
  connections.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Totals::release(const net::IpAddress& address, bool exempt) {
  connections.fetch_sub(1, std::memory_order_relaxed);
  if (!exempt) release_client(address);
}

bool Totals::admit_client(const net::IpAddress& address, const Config& config) {
  if (take(connections_by_address_, address, config.connections_per_address_max)) return true;
  refused_connections.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Totals::release_client(const net::IpAddress& address) {
  give_back(connections_by_address_, address);
}

bool Totals::admit_sockjs(const net::IpAddress& address, bool exempt, const Config& config) {
  if (sockjs_sessions.fetch_add(1, std::memory_order_relaxed) < config.sockjs_sessions_max &&
      (exempt || take(sockjs_by_address_, address, config.sockjs_sessions_per_address_max))) {
    return true;
  }
  sockjs_sessions.fetch_sub(1, std::memory_order_relaxed);
  refused_sockjs_sessions.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Totals::release_sockjs(const net::IpAddress& address, bool exempt) {
  sockjs_sessions.fetch_sub(1, std::memory_order_relaxed);
  if (!exempt) give_back(sockjs_by_address_, address);
}

bool Totals::take(Counts& counts, const net::IpAddress& address, std::uint32_t count_max) {
  const std::scoped_lock lock(mutex_);
  std::uint32_t& count = counts[rate_key(address)];
  if (count >= count_max) return false;
  ++count;
  return true;
}

void Totals::give_back(Counts& counts, const net::IpAddress& address) {
  const std::scoped_lock lock(mutex_);
  const auto found = counts.find(rate_key(address));
  if (found != counts.end() && --found->second == 0) counts.erase(found);
}

}  // namespace rtc::server

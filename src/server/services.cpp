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
  const std::scoped_lock lock(mutex_);
  std::uint32_t& count = by_address_[rate_key(address)];
  if (count < config.connections_per_address_max) {
    ++count;
    return true;
  }
  refused_connections.fetch_add(1, std::memory_order_relaxed);
  return false;
}

void Totals::release_client(const net::IpAddress& address) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_address_.find(rate_key(address));
  if (found != by_address_.end() && --found->second == 0) by_address_.erase(found);
}

}  // namespace rtc::server

// Room for one more, without the half of a vector that doubling leaves empty: for long lists of
// which a server has few, where memory counts.
#pragma once

#include <algorithm>
#include <vector>

namespace rtc {

template <class T>
void grow_gently(std::vector<T>& items) {
  if (items.size() < items.capacity()) return;
  items.reserve(items.size() + std::max<std::size_t>(4, items.size() / 8));
}

}  // namespace rtc

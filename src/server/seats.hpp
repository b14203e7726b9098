// A session's seats in the hub, each under the index that its subscription has. Two lie in place,
// as many as most sessions need; more are allocated. The loop's thread only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/hub.hpp"

namespace rtc::server {

class Seats {
 public:
  // One past the greatest index; a seat without a group is free.
  std::uint32_t size() const {
    return static_cast<std::uint32_t>(first_.size() + (more_ == nullptr ? 0 : more_->size()));
  }
  Hub::Seat& operator[](std::size_t index) {
    return index < first_.size() ? first_[index] : (*more_)[index - first_.size()];
  }
  const Hub::Seat& operator[](std::size_t index) const {
    return index < first_.size() ? first_[index] : (*more_)[index - first_.size()];
  }
  void add() {
    if (more_ == nullptr) more_ = std::make_unique<std::vector<Hub::Seat>>();
    more_->emplace_back();
  }
  // The first that is taken and of which `is_it(seat)` holds; size() if there is none.
  template <class Predicate>
  std::uint32_t find(Predicate is_it) const {
    std::uint32_t index = 0;
    while (index < size() && ((*this)[index].group == nullptr || !is_it((*this)[index]))) ++index;
    return index;
  }

 private:
  std::array<Hub::Seat, 2> first_;
  std::unique_ptr<std::vector<Hub::Seat>> more_;  // null until needed
};

}  // namespace rtc::server

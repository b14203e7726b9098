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
    return static_cast<std::uint32_t>(groups_.size() + (more_ == nullptr ? 0 : more_->size()));
  }
  Hub::Seat operator[](std::size_t index) const {
    if (index >= groups_.size()) return (*more_)[index - groups_.size()];
    return {groups_[index], indexes_[index]};
  }
  void put(std::size_t index, const Hub::Seat& seat) {
    if (index >= groups_.size()) {
      (*more_)[index - groups_.size()] = seat;
    } else {
      groups_[index] = seat.group;
      indexes_[index] = seat.index;
    }
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
  // The first two: two lists, so that nothing is lost between a pointer and a number.
  std::array<Group*, 2> groups_{};
  std::array<std::uint32_t, 2> indexes_{};
  std::unique_ptr<std::vector<Hub::Seat>> more_;  // null until needed
};

}  // namespace rtc::server

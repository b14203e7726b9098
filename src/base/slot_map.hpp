// Handles that outlive what they name: a handle to something gone finds nothing, also after its
// place was taken by another. For answers that come back to a loop from other threads. One thread.
#pragma once

#include <cstdint>
#include <vector>

#include "base/grow_gently.hpp"

namespace rtc {

struct SlotHandle {
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;
};

template <class T>
class SlotMap {
 public:
  SlotHandle add(T& object) {
    if (free_.empty()) {
      grow_gently(objects_);
      grow_gently(generations_);
      objects_.push_back(&object);
      generations_.push_back(0);
      return {static_cast<std::uint32_t>(objects_.size() - 1), 0};
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    objects_[slot] = &object;
    return {slot, generations_[slot]};
  }
  void remove(SlotHandle handle) {
    if (find(handle) == nullptr) return;
    objects_[handle.slot] = nullptr;
    ++generations_[handle.slot];
    free_.push_back(handle.slot);
  }
  T* find(SlotHandle handle) const {
    if (handle.slot >= objects_.size() || generations_[handle.slot] != handle.generation) {
      return nullptr;
    }
    return objects_[handle.slot];
  }
  std::size_t size() const { return objects_.size() - free_.size(); }
  // Calls `each` for all; it may remove the one it is given.
  template <class F>
  void for_each(F&& each) const {
    for (std::size_t i = 0; i < objects_.size(); ++i) {
      if (objects_[i] != nullptr) each(*objects_[i]);
    }
  }

 private:
  // By slot; two lists, so that nothing is lost between a pointer and a number.
  std::vector<T*> objects_;
  std::vector<std::uint32_t> generations_;
  std::vector<std::uint32_t> free_;
};

}  // namespace rtc

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
      grow_gently(slots_);
      slots_.push_back({&object, 0});
      return {static_cast<std::uint32_t>(slots_.size() - 1), 0};
    }
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    slots_[slot].object = &object;
    return {slot, slots_[slot].generation};
  }
  void remove(SlotHandle handle) {
    if (find(handle) == nullptr) return;
    slots_[handle.slot].object = nullptr;
    ++slots_[handle.slot].generation;
    free_.push_back(handle.slot);
  }
  T* find(SlotHandle handle) const {
    if (handle.slot >= slots_.size() || slots_[handle.slot].generation != handle.generation) {
      return nullptr;
    }
    return slots_[handle.slot].object;
  }
  std::size_t size() const { return slots_.size() - free_.size(); }
  // Calls `each` for all; it may remove the one it is given.
  template <class F>
  void for_each(F&& each) const {
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      if (slots_[i].object != nullptr) each(*slots_[i].object);
    }
  }

 private:
  struct Slot {
    T* object;
    std::uint32_t generation;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

}  // namespace rtc

#include "base/pooled.hpp"

#include <algorithm>
#include <utility>

namespace rtc {

Cells::Store::Store(std::size_t cell_bytes) : cell_bytes_(std::max(cell_bytes, sizeof(Free))) {}

std::size_t Cells::Store::blocks() const {
  const std::scoped_lock lock(mutex_);
  return blocks_.size();
}

Cells::Store::Free* Cells::Store::take() {
  const std::scoped_lock lock(mutex_);
  if (free_ != nullptr) return std::exchange(free_, nullptr);
  std::byte* const block =
      blocks_.emplace_back(std::make_unique_for_overwrite<std::byte[]>(kBlockBytes)).get();
  Free* list = nullptr;
  for (std::size_t i = kBlockBytes / cell_bytes_; i > 0; --i) {
    list = new (block + (i - 1) * cell_bytes_) Free{list};
  }
  return list;
}

void Cells::Store::give_back(Free* list) {
  if (list == nullptr) return;
  Free* last = list;
  while (last->next != nullptr) last = last->next;
  const std::scoped_lock lock(mutex_);
  last->next = free_;
  free_ = list;
}

}  // namespace rtc

// Bytes on their way out: written once, then shared by every connection of one loop.
// The count of owners is a plain number: a Bytes never leaves the thread of the loop that made it.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string_view>
#include <utility>

namespace rtc::net {

class Bytes {
 public:
  Bytes() = default;
  static Bytes copy(std::string_view text) {
    auto* block = static_cast<Block*>(std::malloc(sizeof(Block) + text.size()));
    if (block == nullptr) throw std::bad_alloc();
    block->owners = 1;
    block->size = static_cast<std::uint32_t>(text.size());
    if (!text.empty()) std::memcpy(block + 1, text.data(), text.size());
    return Bytes(block);
  }

  Bytes(const Bytes& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) ++block_->owners;
  }
  Bytes(Bytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Bytes& operator=(Bytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Bytes() {
    if (block_ != nullptr && --block_->owners == 0) destroy(block_);
  }

  const char* data() const { return reinterpret_cast<const char*>(block_ + 1); }
  std::size_t size() const { return block_ == nullptr ? 0 : block_->size; }
  std::string_view view() const {
    return block_ == nullptr ? std::string_view{} : std::string_view{data(), size()};
  }

 private:
  struct Block {
    std::uint32_t owners;
    std::uint32_t size;  // the bytes follow
  };
  explicit Bytes(Block* block) : block_(block) {}
  static void destroy(Block* block);

  Block* block_ = nullptr;
};

}  // namespace rtc::net

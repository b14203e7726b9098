// An identity as those keep it who keep many: one small block of memory, shared by a session, the
// rooms that it is in and its messages. Any thread; what it tells never changes.
#pragma once

#include <string_view>
#include <utility>

#include "base/uuid.hpp"
#include "chat/identity.hpp"

namespace rtc::chat {

class SharedIdentity {
 public:
  SharedIdentity() = default;  // nobody's
  // Each text up to 255 bytes; what is longer is cut.
  explicit SharedIdentity(const Identity& identity);
  SharedIdentity(const SharedIdentity& other) noexcept;
  SharedIdentity(SharedIdentity&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedIdentity& operator=(SharedIdentity other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~SharedIdentity();

  // Else the id is the nil UUID and the texts are empty.
  bool known() const { return block_ != nullptr; }
  const UserId& id() const;
  std::string_view nickname() const;
  std::string_view name_tag() const;
  std::string_view address() const;
  Identity copy() const;

 private:
  struct Block;
  Block* block_ = nullptr;
};

}  // namespace rtc::chat

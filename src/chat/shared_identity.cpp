#include "chat/shared_identity.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

namespace rtc::chat {

struct SharedIdentity::Block {
  std::atomic<std::uint32_t> owners{1};
  std::uint8_t nickname_bytes = 0;
  std::uint8_t name_tag_bytes = 0;
  std::uint8_t address_bytes = 0;
  UserId id;
  // The three texts follow.
  char* texts() { return reinterpret_cast<char*>(this + 1); }
  std::string_view text(std::size_t at, std::size_t size) { return {texts() + at, size}; }
};

namespace {

constexpr std::size_t kTextBytesMax = 255;

std::string_view fitting(std::string_view text) {
  return text.substr(0, kTextBytesMax);
}

}  // namespace

SharedIdentity::SharedIdentity(const Identity& identity) {
  const std::string_view nickname = fitting(identity.nickname);
  const std::string_view name_tag = fitting(identity.name_tag);
  const std::string_view address = fitting(identity.address);
  void* const memory =
      std::malloc(sizeof(Block) + nickname.size() + name_tag.size() + address.size());
  if (memory == nullptr) throw std::bad_alloc();
  block_ = new (memory) Block;
  block_->nickname_bytes = static_cast<std::uint8_t>(nickname.size());
  block_->name_tag_bytes = static_cast<std::uint8_t>(name_tag.size());
  block_->address_bytes = static_cast<std::uint8_t>(address.size());
  block_->id = identity.id;
  char* end = std::copy(nickname.begin(), nickname.end(), block_->texts());
  end = std::copy(name_tag.begin(), name_tag.end(), end);
  std::copy(address.begin(), address.end(), end);
}

SharedIdentity::SharedIdentity(const SharedIdentity& other) noexcept : block_(other.block_) {
  if (block_ != nullptr) block_->owners.fetch_add(1, std::memory_order_relaxed);
}

SharedIdentity::~SharedIdentity() {
  if (block_ == nullptr || block_->owners.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
  block_->~Block();
  std::free(block_);
}

const UserId& SharedIdentity::id() const {
  static constexpr UserId kNobody{};
  return block_ == nullptr ? kNobody : block_->id;
}

std::string_view SharedIdentity::nickname() const {
  return block_ == nullptr ? "" : block_->text(0, block_->nickname_bytes);
}

std::string_view SharedIdentity::name_tag() const {
  return block_ == nullptr ? "" : block_->text(block_->nickname_bytes, block_->name_tag_bytes);
}

std::string_view SharedIdentity::address() const {
  if (block_ == nullptr) return "";
  return block_->text(std::size_t{block_->nickname_bytes} + block_->name_tag_bytes,
                      block_->address_bytes);
}

Identity SharedIdentity::copy() const {
  return {id(), std::string(nickname()), std::string(name_tag()), std::string(address())};
}

}  // namespace rtc::chat

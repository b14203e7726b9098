// The people of one room, ascending by id. A room may have very many, so each costs little more
// than a pointer: they lie in sorted pieces of bounded length, which makes adding and removing cost
// a look-up and the shifting of part of a piece. One owner.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/uuid.hpp"
#include "chat/shared_identity.hpp"

namespace rtc::chat {

class People {
 public:
  static constexpr std::size_t kPieceMax = 128;  // a longer piece becomes two

  // False when he is among them already: then nothing changes.
  bool add(const SharedIdentity& who);
  // False when he is not among them.
  bool remove(const UserId& id);
  // Null when he is not among them; else valid until the next change.
  const SharedIdentity* find(const UserId& id) const;
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Those with an id above `after` (none: from the first), at most `limit`.
  std::vector<SharedIdentity> page(const std::optional<UserId>& after, std::size_t limit) const;

 private:
  struct Position {
    std::size_t piece;
    std::size_t index;
  };
  // Of the first whose id is not below `id`; past the last: in the last piece, if there is one.
  Position lower_bound(const UserId& id) const;
  const SharedIdentity* at(const Position& position, const UserId& id) const;

  std::vector<std::vector<SharedIdentity>> pieces_;  // none is empty
  std::size_t size_ = 0;
};

}  // namespace rtc::chat

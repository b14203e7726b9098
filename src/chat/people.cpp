#include "chat/people.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/grow_gently.hpp"

namespace rtc::chat {
namespace {

using Piece = std::vector<SharedIdentity>;

bool is_below(const SharedIdentity& who, const UserId& id) {
  return who.id() < id;
}

Piece::difference_type offset(std::size_t index) {
  return static_cast<Piece::difference_type>(index);
}

}  // namespace

People::Position People::lower_bound(const UserId& id) const {
  if (pieces_.empty()) return {0, 0};
  auto piece = std::partition_point(pieces_.begin(), pieces_.end(),
                                    [&](const Piece& each) { return is_below(each.back(), id); });
  if (piece == pieces_.end()) --piece;
  const auto found = std::lower_bound(piece->begin(), piece->end(), id, is_below);
  return {static_cast<std::size_t>(piece - pieces_.begin()),
          static_cast<std::size_t>(found - piece->begin())};
}

const SharedIdentity* People::at(const Position& position, const UserId& id) const {
  if (pieces_.empty()) return nullptr;
  const Piece& piece = pieces_[position.piece];
  if (position.index == piece.size() || piece[position.index].id() != id) return nullptr;
  return &piece[position.index];
}

const SharedIdentity* People::find(const UserId& id) const {
  return at(lower_bound(id), id);
}

bool People::add(const SharedIdentity& who) {
  const Position position = lower_bound(who.id());
  if (at(position, who.id()) != nullptr) return false;
  if (pieces_.empty()) pieces_.emplace_back();
  Piece& piece = pieces_[position.piece];
  grow_gently(piece);
  piece.insert(piece.begin() + offset(position.index), who);
  ++size_;
  if (piece.size() > kPieceMax) {
    const auto middle = piece.begin() + offset(piece.size() / 2);
    Piece upper(std::make_move_iterator(middle), std::make_move_iterator(piece.end()));
    piece.erase(middle, piece.end());
    piece.shrink_to_fit();
    pieces_.insert(pieces_.begin() + offset(position.piece) + 1, std::move(upper));
  }
  return true;
}

bool People::remove(const UserId& id) {
  const Position position = lower_bound(id);
  if (at(position, id) == nullptr) return false;
  Piece& piece = pieces_[position.piece];
  piece.erase(piece.begin() + offset(position.index));
  --size_;
  if (piece.empty()) {
    pieces_.erase(pieces_.begin() + offset(position.piece));
  } else if (piece.size() <= piece.capacity() / 2) {
    piece.shrink_to_fit();
  }
  return true;
}

std::vector<SharedIdentity> People::page(const std::optional<UserId>& after,
                                         std::size_t limit) const {
  std::vector<SharedIdentity> page;
  Position position = after ? lower_bound(*after) : Position{0, 0};
  if (after && at(position, *after) != nullptr) ++position.index;
  for (; position.piece < pieces_.size(); ++position.piece, position.index = 0) {
    const Piece& piece = pieces_[position.piece];
    for (; position.index < piece.size(); ++position.index) {
      if (page.size() == limit) return page;
      page.push_back(piece[position.index]);
    }
  }
  return page;
}

}  // namespace rtc::chat

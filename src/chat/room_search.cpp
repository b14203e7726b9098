#include "chat/room_search.hpp"

#include <algorithm>
#include <clocale>
#include <cwctype>
#include <utility>

#include "base/utf8.hpp"

namespace rtc::chat {
namespace {

constexpr std::uint32_t kPage = 500;

// What is upper case, and what is white space, does not hang on the locale of the process.
locale_t unicode() {
  static const locale_t locale = ::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
  return locale;  // none on an odd system: then only ASCII has no case
}

char32_t fold(char32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
  if (unicode() == nullptr) return c;
  return static_cast<char32_t>(::towlower_l(static_cast<wint_t>(c), unicode()));
}

bool divides_words(char32_t c) {
  if (c < 0x80) return c <= ' ';
  return unicode() != nullptr && ::iswspace_l(static_cast<wint_t>(c), unicode()) != 0;
}

std::string folded(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) append_utf8(out, fold(take_character(text)));
  return out;
}

}  // namespace

std::vector<std::string> search_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto end_word = [&] {
    if (!word.empty()) words.push_back(std::exchange(word, {}));
  };
  while (!text.empty() && words.size() < kSearchWordsMax) {
    const char32_t character = take_character(text);
    if (divides_words(character)) {
      end_word();
    } else {
      append_utf8(word, fold(character));
    }
  }
  if (words.size() < kSearchWordsMax) end_word();
  return words;
}

Result<std::vector<Room>> RoomSearch::find(const std::vector<std::string>& words,
                                           std::uint32_t limit) {
  if (auto current = catch_up(); !current) return current.error();
  std::vector<Room> found;
  const std::shared_lock lock(mutex_);
  for (auto entry = entries_.rbegin(); entry != entries_.rend() && found.size() < limit; ++entry) {
    const auto has = [&](const std::string& word) {
      return entry->folded.find(word) != std::string::npos;
    };
    if (std::all_of(words.begin(), words.end(), has)) found.push_back(entry->room);
  }
  return found;
}

Result<void> RoomSearch::catch_up() {
  while (true) {
    std::optional<RoomId> after;
    {
      const std::shared_lock lock(mutex_);
      after = newest_;
    }
    const auto page = store_.list_open(after, kPage);
    const std::unique_lock lock(mutex_);
    if (newest_ != after) continue;  // another search was sooner, maybe with less than this one
    if (!page && page.error().code == ErrorCode::not_found_chatroom && after) {
      forget();  // the database is another one now, such as an older copy: all is read anew
      continue;
    }
    if (!page) return page.error();
    add(*page);
    if (page->size() < kPage) return {};
  }
}

void RoomSearch::add(const std::vector<Room>& page) {
  if (page.empty()) return;
  newest_ = page.back().id;
  for (const Room& room : page) {
    if (room.id == lobby_id()) continue;
    entries_.push_back({room, folded(room.name).append(1, '\n').append(folded(room.topic))});
    if (entries_.size() > rooms_max_) entries_.pop_front();
  }
  count_.store(entries_.size(), std::memory_order_relaxed);
}

void RoomSearch::forget() {
  newest_.reset();
  entries_.clear();
  count_.store(0, std::memory_order_relaxed);
}

}  // namespace rtc::chat

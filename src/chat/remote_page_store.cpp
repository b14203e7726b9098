#include "chat/remote_page_store.hpp"

#include <algorithm>
#include <iterator>

namespace rtc::chat {
namespace {

// A store that was restored from a backup may have another message by that id.
bool same(const Message& one, const Message& other) {
  return one.id == other.id && one.created_at_ms == other.created_at_ms &&
         one.sender.id() == other.sender.id() && one.text == other.text;
}

std::vector<Message> newest_first(std::vector<Message> page, std::uint32_t limit) {
  std::reverse(page.begin(), page.end());
  if (page.size() > limit) page.resize(limit);
  return page;
}

}  // namespace

Result<std::vector<Message>> RemotePageStore::page_before(RoomId room, MessageId before,
                                                          std::uint32_t limit) {
  if (before != 0) return behind_.page_before(room, before, limit);
  std::vector<Message> page = pages_.read(room);
  // Who asks for few must not leave fewer there than others need.
  const std::uint32_t most = std::max(limit, static_cast<std::uint32_t>(page.size()));
  if (!page.empty() && (page.front().id == 1 || page.size() >= limit)) {
    // From the newest on that was kept: so one answer says what came since, and that it is there.
    auto later = behind_.page_after(room, page.back().id - 1, most + 1);
    if (!later) return later.error();
    const bool all = later->size() <= most;
    if (all && !later->empty() && same(later->front(), page.back())) {
      page.insert(page.end(), std::make_move_iterator(later->begin() + 1),
                  std::make_move_iterator(later->end()));
      if (page.size() > most) page.erase(page.begin(), page.end() - most);
      if (later->size() > most / 2 + 1) pages_.keep(room, page);
      return newest_first(std::move(page), limit);
    }
  }
  auto read = behind_.page_before(room, 0, most);
  if (!read || read->empty()) return read;
  std::reverse(read->begin(), read->end());
  pages_.keep(room, *read);
  return newest_first(std::move(*read), limit);
}

}  // namespace rtc::chat

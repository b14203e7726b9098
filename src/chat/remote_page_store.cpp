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

}  // namespace

Result<std::vector<Message>> RemotePageStore::page_before(RoomId room, MessageId before,
                                                          std::uint32_t limit) {
  if (before != 0) return behind_.page_before(room, before, limit);
  std::vector<Message> page = pages_.read(room);
  if (!page.empty() && (page.front().id == 1 || page.size() >= limit)) {
    // From the newest on that was kept: so one answer says what came since, and that it is there.
    auto later = behind_.page_after(room, page.back().id - 1, limit + 1);
    if (!later) return later.error();
    const bool all = later->size() <= limit;
    if (all && !later->empty() && same(later->front(), page.back())) {
      page.insert(page.end(), std::make_move_iterator(later->begin() + 1),
                  std::make_move_iterator(later->end()));
      if (page.size() > limit) page.erase(page.begin(), page.end() - limit);
      if (later->size() > limit / 2 + 1) pages_.keep(room, page);
      std::reverse(page.begin(), page.end());
      return page;
    }
  }
  auto read = behind_.page_before(room, 0, limit);
  if (read && !read->empty()) {
    std::reverse_copy(read->begin(), read->end(), std::back_inserter(page = {}));
    pages_.keep(room, page);
  }
  return read;
}

}  // namespace rtc::chat

#include "measure.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

#include "clock.hpp"

namespace store {
namespace {

using load::now_ns;

constexpr double kSecond = 1e9;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

struct Moment {
  std::int64_t time_ns = now_ns();
  std::int64_t cpu_ns = load::read_clock(CLOCK_PROCESS_CPUTIME_ID);
};

// Calls `write` batch by batch while `more`; it answers when it began.
template <class More, class Write>
Commits run(Drafts& drafts, More more, Write write) {
  Commits commits;
  while (more(commits)) {
    const auto batch = drafts.next();
    const Moment begin = write(batch);
    const Moment end;
    commits.each.record(end.time_ns - begin.time_ns);
    commits.total_ns += end.time_ns - begin.time_ns;
    commits.cpu_ns += end.cpu_ns - begin.cpu_ns;
    commits.messages += batch.size();
  }
  return commits;
}

auto for_seconds(double seconds) {
  return [seconds](const Commits& commits) {
    return static_cast<double>(commits.total_ns) < seconds * kSecond;
  };
}

auto into(rtc::storage::SqliteStore& store) {
  return [&store](std::span<const rtc::chat::Draft> batch) {
    const Moment begin;
    if (const auto stored = store.append(batch); !stored) {
      throw std::runtime_error(stored.error().message);
    }
    return begin;
  };
}

}  // namespace

double Commits::per_second() const {
  return static_cast<double>(messages) * kSecond / static_cast<double>(total_ns);
}

double Commits::cpu_us_each() const {
  return static_cast<double>(cpu_ns) / 1e3 / static_cast<double>(messages);
}

Commits commit_for(rtc::storage::SqliteStore& store, Drafts& drafts, double seconds) {
  return run(drafts, for_seconds(seconds), into(store));
}

Commits commit_until(rtc::storage::SqliteStore& store, Drafts& drafts, std::uint64_t messages) {
  const auto more = [messages](const Commits& commits) { return commits.messages < messages; };
  return run(drafts, more, into(store));
}

Commits write_plain(const std::filesystem::path& file, Drafts& drafts, double seconds, bool sync) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) fail("open");
  const Commits commits =
      run(drafts, for_seconds(seconds), [&](std::span<const rtc::chat::Draft> batch) {
        const std::string bytes = Drafts::bytes_of(batch);
        const Moment begin;
        if (::write(fd, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
          fail("write");
        }
        if (sync && ::fdatasync(fd) != 0) fail("fdatasync");
        return begin;
      });
  ::close(fd);
  return commits;
}

Pages read_pages(rtc::chat::MessageStore& store, const Options& options,
                 std::span<const rtc::RoomId> rooms, bool newest) {
  std::mt19937_64 random(2);
  const auto up_to = [&](std::uint64_t end) {
    return std::uniform_int_distribution<std::uint64_t>(1, end)(random);
  };
  std::vector<rtc::MessageId> last;
  for (const rtc::RoomId& room : rooms) {
    const auto page = store.page_before(room, 0, 1);
    if (!page) throw std::runtime_error(page.error().message);
    last.push_back(page->empty() ? 0 : page->front().id);
  }
  Pages pages;
  for (std::uint32_t i = 0; i < options.pages; ++i) {
    const std::size_t at = up_to(rooms.size()) - 1;
    const rtc::MessageId before = newest ? 0 : up_to(last[at] + 1);
    const rtc::MessageId first = newest ? last[at] : before - 1;
    const std::int64_t begin = now_ns();
    const auto page = store.page_before(rooms[at], before, options.page_size);
    pages.each.record(now_ns() - begin);
    if (!page) throw std::runtime_error(page.error().message);
    const bool right = page->size() == std::min<std::uint64_t>(first, options.page_size) &&
                       (page->empty() ||
                        (page->front().id == first && page->back().id == first + 1 - page->size()));
    if (!right) ++pages.wrong;
  }
  return pages;
}

}  // namespace store

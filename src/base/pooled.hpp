// Memory for the types of which a server has very many and all the time: cells of exactly their
// size, side by side, without malloc's header and rounding, and apart from the short-lived memory
// between which malloc would scatter them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <new>
#include <type_traits>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#define RTC_UNPOOLED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RTC_UNPOOLED
#endif
#endif

namespace rtc {

// The cells of one type. Each thread takes from a list of its own, so loops share no block. Cells
// are used again and never given back to the system: there are as many as there were objects at
// once. What a thread leaves free at its end goes to the next that needs some.
class Cells {
 public:
  static constexpr std::size_t kBlockBytes = 16 << 10;

  // Any thread; outlives all lists.
  class Store {
   public:
    explicit Store(std::size_t cell_bytes);
    std::size_t blocks() const;

   private:
    friend class Cells;
    struct Free {
      Free* next;
    };
    Free* take();  // a list of free cells, of a new block if need be
    void give_back(Free* list);

    const std::size_t cell_bytes_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<std::byte[]>> blocks_;  // guarded by mutex_, as the next
    Free* free_ = nullptr;
  };

  // One thread's list.
  explicit Cells(Store& store) : store_(store) {}
  Cells(const Cells&) = delete;
  Cells& operator=(const Cells&) = delete;
  ~Cells() { store_.give_back(free_); }

  void* take() {
    if (free_ == nullptr) free_ = store_.take();
    Store::Free* const cell = free_;
    free_ = cell->next;
    return cell;
  }
  // From this list or another thread's.
  void give_back(void* cell) { free_ = new (cell) Store::Free{free_}; }

 private:
  Store& store_;
  Store::Free* free_ = nullptr;
};

// To be inherited by such a type, which must be final: `new` and `delete` then use its cells. Under
// AddressSanitizer they do not, so that it sees each object's end.
template <class T>
class Pooled {
 public:
#ifndef RTC_UNPOOLED
  static void* operator new(std::size_t /*bytes*/) {
    return cells().take();
  }
  static void operator delete(void* cell) {
    cells().give_back(cell);
  }

 private:
  static Cells& cells() {
    static_assert(alignof(T) <= alignof(void*));
    static_assert(sizeof(T) <= Cells::kBlockBytes);
    static_assert(std::is_final_v<T>);
    static Cells::Store store(sizeof(T));
    thread_local Cells cells(store);
    return cells;
  }
#endif
};

}  // namespace rtc

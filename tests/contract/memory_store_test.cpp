#include "contract/memory_store.hpp"

#include "contract/store_contract.hpp"

namespace rtc::chat {
namespace {

class MemoryStores final : public Stores {
 public:
  MessageStore& messages() override { return store_; }
  RoomStore& rooms() override { return store_; }
  BanStore& bans() override { return store_; }

 private:
  MemoryStore store_;
};

std::unique_ptr<Stores> make_memory_stores() {
  return std::make_unique<MemoryStores>();
}

INSTANTIATE_TEST_SUITE_P(Memory, MessageStoreContract, testing::Values(&make_memory_stores));
INSTANTIATE_TEST_SUITE_P(Memory, RoomStoreContract, testing::Values(&make_memory_stores));
INSTANTIATE_TEST_SUITE_P(Memory, BanStoreContract, testing::Values(&make_memory_stores));

}  // namespace
}  // namespace rtc::chat

#include "net/bytes.hpp"

namespace rtc::net {

void Bytes::destroy(Block* block) {
  std::free(block);
}

}  // namespace rtc::net

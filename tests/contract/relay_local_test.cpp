#include "contract/relay_contract.hpp"
#include "relay/local_relay.hpp"

namespace rtc::chat {
namespace {

class LocalRelayUnderTest final : public RelayUnderTest {
 public:
  Relay& relay() override { return relay_; }

 private:
  relay::LocalRelay relay_;
};

std::unique_ptr<RelayUnderTest> make_local_relay() {
  return std::make_unique<LocalRelayUnderTest>();
}

INSTANTIATE_TEST_SUITE_P(Local, RelayContract, testing::Values(&make_local_relay));

}  // namespace
}  // namespace rtc::chat

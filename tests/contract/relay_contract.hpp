// What every adapter of Relay must do. An adapter's test file instantiates the suite with a
// function that makes a relay; the tests are in relay_contract.cpp.
#pragma once

#include <functional>
#include <gtest/gtest.h>
#include <memory>

#include "chat/relay.hpp"

namespace rtc::chat {

// A relay under test, and whatever must live as long as it.
class RelayUnderTest {
 public:
  virtual ~RelayUnderTest() = default;
  virtual Relay& relay() = 0;
};
using MakeRelay = std::unique_ptr<RelayUnderTest> (*)();

class RelayContract : public testing::TestWithParam<MakeRelay> {
 protected:
  Relay& relay() { return relay_->relay(); }

 private:
  std::unique_ptr<RelayUnderTest> relay_ = GetParam()();
};

}  // namespace rtc::chat

// The relay of a single node: what is published is delivered here, at once, on the caller's thread.
#pragma once

#include "chat/relay.hpp"

namespace rtc::relay {

class LocalRelay final : public chat::Relay {
 public:
  void start(OnMessages on_messages, OnDoubt /*on_doubt*/) override {
    on_messages_ = std::move(on_messages);
  }
  void publish(const chat::MessageBatch& batch) override { on_messages_(batch); }

 private:
  OnMessages on_messages_;
};

}  // namespace rtc::relay

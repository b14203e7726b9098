// The open transactions of one session (STOMP 1.2, "BEGIN"): SENDs, ACKs and NACKs that were
// checked and wait for their COMMIT. The loop's thread only.
//
// Bounded by transactions_per_session_max, transaction_messages_max and transaction_bytes_max.
// Without an open transaction it owns no memory and is as large as a pointer.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"
#include "chat/message.hpp"
#include "server/broker.hpp"

namespace rtc::server {

struct Transaction {
  std::string id;
  // In the order of their frames; none when it is spoilt. Either chat messages, or the broker's.
  std::vector<chat::Draft> drafts;
  std::vector<BrokerDraft> broker_drafts;
  std::vector<Acknowledgement> acknowledgements;
  std::size_t bytes = 0;        // chat: of their texts; broker: all that is kept of them
  std::optional<Error> spoilt;  // why it cannot be committed any more: its first refused SEND
};

class Transactions {
 public:
  // invalid_parameter: it is open already; forbidden_action: too many are.
  Result<void> begin(std::string_view id, const Config& config);
  // Whether a SEND may still join it. invalid_parameter: it is not open; else what spoilt it.
  Result<void> check(std::string_view id) const;
  // Beyond a bound: forbidden_action, and the transaction is spoilt. Otherwise as check().
  Result<void> keep(std::string_view id, chat::Draft draft, const Config& config);
  Result<void> keep(std::string_view id, BrokerDraft draft, const Config& config);
  Result<void> keep(std::string_view id, const Acknowledgement& acknowledgement,
                    const Config& config);
  // From now on it cannot be committed; what it held is dropped. Nothing happens to one that is not
  // open, and the first reason stays.
  void spoil(std::string_view id, const Error& reason);
  // Ends it. invalid_parameter: it is not open.
  Result<Transaction> take(std::string_view id);
  std::size_t count() const { return open_ == nullptr ? 0 : open_->size(); }

 private:
  // One of the chat's or the broker's joins.
  Result<Transaction*> admit(std::string_view id, std::size_t bytes, bool of_chat,
                             const Config& config);
  Transaction* find(std::string_view id) const;

  std::unique_ptr<std::vector<Transaction>> open_;  // null when there are none
};

}  // namespace rtc::server

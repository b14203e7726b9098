#include "server/transactions.hpp"

#include <algorithm>
#include <utility>

namespace rtc::server {
namespace {

Error not_open() {
  return {ErrorCode::invalid_parameter, "transaction: this session has none of that id open"};
}

}  // namespace

Transaction* Transactions::find(std::string_view id) const {
  if (open_ == nullptr) return nullptr;
  const auto found = std::find_if(open_->begin(), open_->end(),
                                  [&](const Transaction& each) { return each.id == id; });
  return found == open_->end() ? nullptr : &*found;
}

Result<void> Transactions::begin(std::string_view id, const Config& config) {
  if (find(id) != nullptr) {
    return {ErrorCode::invalid_parameter, "transaction: this session has one of that id open"};
  }
  if (count() >= config.transactions_per_session_max) {
    return {ErrorCode::forbidden_action, "this session has too many open transactions"};
  }
  if (open_ == nullptr) open_ = std::make_unique<std::vector<Transaction>>();
  open_->emplace_back().id = id;
  return {};
}

Result<void> Transactions::check(std::string_view id) const {
  const Transaction* const transaction = find(id);
  if (transaction == nullptr) return not_open();
  if (transaction->spoilt) {
    return {transaction->spoilt->code,
            "the transaction is spoilt: " + transaction->spoilt->message};
  }
  return {};
}

Result<Transaction*> Transactions::admit(std::string_view id, std::size_t bytes, bool of_chat,
                                         const Config& config) {
  if (auto joins = check(id); !joins) return joins.error();
  Transaction& transaction = *find(id);
  const std::size_t of_broker =
      transaction.broker_drafts.size() + transaction.acknowledgements.size();
  std::size_t all_bytes = bytes;
  for (const Transaction& each : *open_) all_bytes += each.bytes;
  Error error{ErrorCode::forbidden_action, ""};
  if (transaction.drafts.size() + of_broker >= config.transaction_messages_max) {
    error.message = "the transaction has too many messages";
  } else if (all_bytes > config.transaction_bytes_max) {
    error.message = "this session's open transactions hold too many bytes together";
  } else if (of_chat ? of_broker > 0 : !transaction.drafts.empty()) {
    // One is stored, the other is not: nothing could promise both or none.
    error.message = "chat messages and the broker's do not go into one transaction";
  } else {
    transaction.bytes += bytes;
    return &transaction;
  }
  spoil(id, error);
  return error;
}

Result<void> Transactions::keep(std::string_view id, chat::Draft draft, const Config& config) {
  auto transaction = admit(id, draft.text.size(), true, config);
  if (!transaction) return transaction.error();
  (*transaction)->drafts.push_back(std::move(draft));
  return {};
}

Result<void> Transactions::keep(std::string_view id, BrokerDraft draft, const Config& config) {
  auto transaction = admit(id, draft->held.bytes(), false, config);
  if (!transaction) return transaction.error();
  (*transaction)->broker_drafts.push_back(std::move(draft));
  return {};
}

Result<void> Transactions::keep(std::string_view id, const Acknowledgement& acknowledgement,
                                const Config& config) {
  auto transaction = admit(id, 0, false, config);
  if (!transaction) return transaction.error();
  (*transaction)->acknowledgements.push_back(acknowledgement);
  return {};
}

void Transactions::spoil(std::string_view id, const Error& reason) {
  Transaction* const transaction = find(id);
  if (transaction == nullptr || transaction->spoilt) return;
  transaction->spoilt = reason;
  transaction->drafts = {};
  transaction->broker_drafts.clear();
  transaction->acknowledgements = {};
  transaction->bytes = 0;
}

Result<Transaction> Transactions::take(std::string_view id) {
  Transaction* const found = find(id);
  if (found == nullptr) return not_open();
  Transaction taken = std::move(*found);
  open_->erase(open_->begin() + (found - open_->data()));
  if (open_->empty()) open_.reset();
  return taken;
}

}  // namespace rtc::server

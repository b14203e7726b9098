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
  open_->push_back({std::string(id), {}, 0, {}});
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

Result<void> Transactions::keep(std::string_view id, chat::Draft draft, const Config& config) {
  if (auto joins = check(id); !joins) return joins;
  Transaction& transaction = *find(id);
  std::size_t bytes = draft.text.size();
  for (const Transaction& each : *open_) bytes += each.bytes;
  Error error{ErrorCode::forbidden_action, ""};
  if (transaction.drafts.size() >= config.transaction_messages_max) {
    error.message = "the transaction has too many messages";
  } else if (bytes > config.transaction_bytes_max) {
    error.message = "the texts in this session's open transactions are too long together";
  } else {
    transaction.bytes += draft.text.size();
    transaction.drafts.push_back(std::move(draft));
    return {};
  }
  spoil(id, error);
  return error;
}

void Transactions::spoil(std::string_view id, const Error& reason) {
  Transaction* const transaction = find(id);
  if (transaction == nullptr || transaction->spoilt) return;
  transaction->spoilt = reason;
  transaction->drafts = {};
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

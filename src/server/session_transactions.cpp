// BEGIN, COMMIT and ABORT. The SENDs between them are checked as all SENDs are
// (session_requests.cpp) and then kept.
#include "base/clock.hpp"
#include "server/session.hpp"
#include "server/shard.hpp"
#include "websocket/decoder.hpp"

namespace rtc::server {

void Session::on_transaction(const stomp::Frame& frame) {
  const std::string_view receipt = frame.get("receipt");
  const std::string_view id = frame.get("transaction");
  if (id.empty()) {
    fail({ErrorCode::invalid_message_format,
          std::string(stomp::to_string(frame.command)) + " needs the header transaction"},
         receipt, websocket::kCloseProtocolError);
    return;
  }
  if (frame.command == stomp::Command::begin) {
    begin(id, receipt);
    return;
  }
  auto taken = transactions().take(id);
  if (!taken) {
    refuse(taken.error(), receipt);
    return;
  }
  shard_.figures().transactions_open.fetch_sub(1, std::memory_order_relaxed);
  if (frame.command == stomp::Command::commit) {
    commit(*taken, receipt);
  } else {
    acknowledge(std::string(receipt));
  }
  rest();
}

void Session::begin(std::string_view id, std::string_view receipt) {
  if (id.size() > kIdBytesMax) {
    fail({ErrorCode::invalid_message_format, "transaction: longer than 256 bytes"}, receipt,
         websocket::kClosePolicyViolation);
    return;
  }
  if (const auto begun = transactions().begin(id, shard_.config()); !begun) {
    refuse(begun.error(), receipt);
    return;
  }
  shard_.figures().transactions_open.fetch_add(1, std::memory_order_relaxed);
  acknowledge(std::string(receipt));
}

void Session::commit(Transaction& transaction, std::string_view receipt) {
  if (transaction.spoilt) {
    refuse({transaction.spoilt->code,
            "the transaction is not committed: " + transaction.spoilt->message},
           receipt);
    return;
  }
  if (transaction.drafts.empty()) {
    if (broker_ != nullptr) {
      const auto taken =
          shard_.services().broker.commit(transaction.broker_drafts, transaction.acknowledgements);
      if (!taken) {
        refuse(taken.error(), receipt);
        return;
      }
    }
    acknowledge(std::string(receipt));
    return;
  }
  // What is told all at once was said at that moment, however long it was kept.
  const std::int64_t now_ms = unix_ms();
  for (chat::Draft& draft : transaction.drafts) draft.created_at_ms = now_ms;
  submit(transaction.drafts, std::string(receipt), "ids");
}

}  // namespace rtc::server

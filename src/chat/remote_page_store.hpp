// A MessageStore in front of one that other nodes write to as well: a newest page is looked for in
// RemotePages, and the store behind is asked only whether that is still the newest, which reads
// one message where it is, and no page (docs/adr/0021). So it is never older than a commit that
// was made before it was asked for, whatever the remote pages lost or kept for too long. All else
// is handed through. Behind chat/page_cache, which asks once for all who want a page.
//
// Threads as MessageStore. One contract suite holds with and without it.
#pragma once

#include "chat/message_store.hpp"
#include "chat/remote_pages.hpp"

namespace rtc::chat {

class RemotePageStore final : public MessageStore {
 public:
  // Both outlive it.
  RemotePageStore(MessageStore& behind, RemotePages& pages) : behind_(behind), pages_(pages) {}

  Result<std::vector<Stored>> append(std::span<const Draft> drafts) override {
    return behind_.append(drafts);
  }
  Result<std::vector<Message>> page_before(RoomId room, MessageId before,
                                           std::uint32_t limit) override;
  Result<std::vector<Message>> page_after(RoomId room, MessageId after,
                                          std::uint32_t limit) override {
    return behind_.page_after(room, after, limit);
  }
  Result<std::vector<RoomId>> grown(std::span<const RoomMark> marks) override {
    return behind_.grown(marks);
  }
  std::string epoch() const override { return behind_.epoch(); }
  bool shared() const override { return behind_.shared(); }
  LogFigures log() const override { return behind_.log(); }
  ServerFigures server() const override { return behind_.server(); }
  Result<std::uint64_t> forget_keys(std::int64_t before_ms, std::uint32_t limit) override {
    return behind_.forget_keys(before_ms, limit);
  }

 private:
  MessageStore& behind_;
  RemotePages& pages_;
};

}  // namespace rtc::chat

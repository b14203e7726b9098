// Where there are other nodes: a room that somebody listens to is brought from them, from the first
// listener on.
#include "server/session.hpp"
#include "server/shard.hpp"

namespace rtc::server {

Error history_not_readable() {
  return {ErrorCode::server_overload, "the history could not be read; subscribe again in a while"};
}

// Where several nodes write to a room its messages are put in order while somebody listens; those
// of a room without history are asked for. False: that has to begin first; then subscribe() is
// called again.
bool Session::is_in_order(const SubscribeRequest& request) {
  Services& services = shard_.services();
  const RoomId& room = request.destination.room;
  if (services.order == nullptr || request.destination.kind != Destination::Kind::room) return true;
  if (request.live ? services.live == nullptr || services.live->watch(room)
                   : services.order->watch(room)) {
    return true;
  }
  waiting_for_room_ = true;
  const auto go_on = [shard = &shard_, handle = handle_, request](bool ok) {
    shard->loop().post([shard, handle, request, ok] {
      Session* const session = shard->sessions().find(handle);
      if (session == nullptr) return;
      session->waiting_for_room_ = false;
      if (!session->ended_) {
        if (ok) {
          session->subscribe(request);
        } else {
          session->refuse(history_not_readable(), request.receipt);
        }
      }
      session->resume();
    });
  };
  if (request.live) {
    services.live->open(room, [go_on] { go_on(true); });
    return false;
  }
  const bool taken = services.store.read([&services, room, go_on] {
    const auto opened = services.order->open(room);
    if (!opened) services.store.health().call_failed("the room could not be read", opened.error());
    go_on(opened.ok());
  });
  if (!taken) {
    waiting_for_room_ = false;
    refuse({ErrorCode::server_overload, "too much is waiting; try again in a while"},
           request.receipt);
  }
  return false;
}

void Session::leave_order(const RoomId& room) {
  Services& services = shard_.services();
  if (services.order != nullptr) services.order->unwatch(room);
  if (services.live != nullptr) services.live->unwatch(room);
}

}  // namespace rtc::server

#include "carrier.hpp"

#include "stamp.hpp"

namespace load {

void WebSocketCarrier::on_message(Session& session, std::string_view frame) {
  const std::size_t at = find_stamp(frame, stamp_hint_);
  if (at == std::string_view::npos) return;  // of another destination
  stamp_hint_ = at;
  events_.on_text(session.place().index, frame.substr(at), session.read_ns());
}

}  // namespace load

// A peer: a fan-out server over the library uWebSockets, rooms as its topics. It speaks just enough
// STOMP for the load client (CONNECT, SUBSCRIBE, SEND) and publishes the same frames as the limit
// server. No identities, no checks, no store, no history, and no bound that the loads could meet.
//
//   uws PORT   (listens on 127.0.0.1)
#include <App.h>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <sys/resource.h>

namespace {

using namespace std::string_view_literals;

struct Nothing {};

constexpr unsigned kMessageBytesMax = 64 << 10;
// Beyond it the library leaves messages out, which the load client would count as lost.
constexpr unsigned kBacklogBytesMax = 64 << 20;

std::string_view header(std::string_view frame, std::string_view name) {
  const std::size_t at = frame.find(name);
  if (at == std::string_view::npos) return {};
  const std::string_view value = frame.substr(at + name.size());
  return value.substr(0, value.find_first_of("\r\n"));
}

void publish(uWS::App& app, std::string_view frame) {
  const std::string_view destination = header(frame, "\ndestination:");
  const std::size_t body_at = frame.find("\n\n") + 2;
  const std::string_view body = frame.substr(body_at, frame.find('\0', body_at) - body_at);
  std::string message = "MESSAGE\nsubscription:sub-0\ndestination:";
  message.append(destination).append("\nmessage-id:1\ncontent-type:application/json");
  message.append("\ncontent-length:").append(std::to_string(body.size())).append("\n\n");
  message.append(body).append(1, '\0');
  app.publish(destination, message, uWS::TEXT);
}

template <typename Socket>
void on_frame(uWS::App& app, Socket& socket, std::string_view frame) {
  if (frame.starts_with("SEND\n")) {
    publish(app, frame);
  } else if (frame.starts_with("CONNECT\n") || frame.starts_with("STOMP\n")) {
    socket.send("CONNECTED\nversion:1.2\nheart-beat:0,0\n\n\0"sv, uWS::TEXT);
  } else if (frame.starts_with("SUBSCRIBE\n")) {
    socket.subscribe(header(frame, "\ndestination:"));
  }
  const std::string_view receipt = header(frame, "\nreceipt:");
  if (receipt.empty()) return;
  std::string answer = "RECEIPT\nreceipt-id:";
  answer.append(receipt).append("\n\n").append(1, '\0');
  socket.send(answer, uWS::TEXT);
}

}  // namespace

int main(int argc, char** argv) {
  const int port = argc == 2 ? std::atoi(argv[1]) : 0;
  if (port <= 0) {
    std::fprintf(stderr, "usage: uws PORT   (listens on 127.0.0.1)\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);

  uWS::App app;
  uWS::App::WebSocketBehavior<Nothing> behavior;
  behavior.compression = uWS::DISABLED;
  behavior.maxPayloadLength = kMessageBytesMax;
  behavior.maxBackpressure = kBacklogBytesMax;
  behavior.idleTimeout = 0;
  behavior.sendPingsAutomatically = false;
  behavior.message = [&app](auto* socket, std::string_view frame, uWS::OpCode /*opcode*/) {
    on_frame(app, *socket, frame);
  };
  app.ws<Nothing>("/*", std::move(behavior));
  app.listen("127.0.0.1", port, [](auto* listening) {
    if (listening != nullptr) return;
    std::fprintf(stderr, "uws: cannot listen\n");
    std::exit(1);
  });
  app.run();
}

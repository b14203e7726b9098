// What the command line asks the load client for.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace load {

// The run cannot begin or go on: told to the user, exit code 3.
class CannotRun : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Options {
  enum class Mode { traffic, slow, storm, idle, churn, cost, hold };
  enum class Window { copy, receipt };  // what tells a publisher that his message is through
  enum class Transport { poll, xhr, xhr_streaming, eventsource, websocket };
  Mode mode = Mode::traffic;

  // The server. Templates know {room}, {token} and, in the body, {text}.
  std::string host;
  std::uint16_t port = 0;
  std::string path;
  std::string subprotocol;
  bool has_identities = true;  // tokens from GET /init, rooms from POST /chatroom
  std::vector<std::pair<std::string, std::string>> connect_headers;
  std::string subscribe_to;
  std::vector<std::string> also_subscribe_to;
  std::string send_to;
  std::string body;
  std::vector<std::string> from;  // addresses of this machine to connect from, in turns
  int pid = 0;
  bool history = true;  // of the rooms that it makes; false: their messages are live only

  // The load.
  std::vector<std::string> room_names;  // that somebody else made; empty: `rooms` new ones
  std::uint32_t rooms = 1;
  std::uint32_t readers = 10;    // of each room
  std::uint32_t publishers = 1;  // of each room, each a reader too
  std::uint32_t text_bytes = 128;
  std::uint32_t in_flight = 1;
  Window window = Window::copy;
  double rate = 0;             // messages a second of all publishers together; 0: closed loop
  std::uint32_t messages = 0;  // of each publisher; 0: as many as fit into the time
  double seconds = 5;
  double warm_up_seconds = 1;
  double settle_seconds = 3;
  std::uint32_t newcomers = 1000;  // storm mode: sessions that come at once
  std::uint32_t pairs = 20;        // slow mode: windows without and with the slow readers
  Transport transport = Transport::websocket;  // cost mode: what carries the chat
  double poll_seconds = 1;                     // between two polls of one user
  bool keep_alive = true;                      // false: a connection for each poll
  std::uint32_t heart_beat_ms = 0;
  std::uint32_t at_once = 64;  // joins under way together
  double patience_seconds = 10;

  bool json = false;

  std::uint32_t sessions() const { return rooms * readers; }
};

// Exits the program by itself for --help and for what it does not understand.
Options parse_options(int argc, char** argv);

std::string expand(std::string text, std::string_view name, std::string_view value);

}  // namespace load

#include "options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <fstream>

#include "stamp.hpp"

namespace load {
namespace {

constexpr int kCannotRun = 3;

// ws://host:port/path
void parse_url(std::string_view url, Options& options) {
  constexpr std::string_view kScheme = "ws://";
  if (url.starts_with(kScheme)) url.remove_prefix(kScheme.size());
  const std::size_t slash = std::min(url.find('/'), url.size());
  const std::string_view authority = url.substr(0, slash);
  options.path = slash < url.size() ? std::string(url.substr(slash)) : "/";
  const std::size_t colon = authority.rfind(':');
  const std::string_view port =
      colon == std::string_view::npos ? std::string_view{} : authority.substr(colon + 1);
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), options.port);
  if (problem != std::errc{} || end != port.data() + port.size() || options.port == 0) {
    throw CLI::ValidationError("url: expected ws://HOST:PORT/PATH");
  }
  options.host = std::string(authority.substr(0, colon));
}

void parse_headers(const std::vector<std::string>& headers, Options& options) {
  for (const std::string& header : headers) {
    const std::size_t colon = header.find(':');
    if (colon == std::string::npos) throw CLI::ValidationError("--header: expected name:value");
    options.connect_headers.emplace_back(header.substr(0, colon), header.substr(colon + 1));
  }
}

// A line each.
void read_room_names(const std::string& path, Options& options) {
  if (path.empty()) return;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) options.room_names.push_back(line);
  if (options.room_names.empty()) throw CLI::ValidationError("--room-file: no rooms in " + path);
  options.rooms = static_cast<std::uint32_t>(options.room_names.size());
}

void set_unless_given(std::string& value, std::string_view fallback) {
  if (value.empty()) value = fallback;
}

void complete(Options& options) {
  if (options.has_identities) {
    options.connect_headers.emplace_back("Authorization", "Bearer {token}");
    set_unless_given(options.subscribe_to, "/sub/channel/{room}");
    set_unless_given(options.send_to, "/pub/chat");
    set_unless_given(options.body, R"({"roomId":"{room}","message":"{text}"})");
  }
  set_unless_given(options.subscribe_to, "/topic/{room}");
  set_unless_given(options.send_to, "/topic/{room}");
  set_unless_given(options.body, "{text}");
  const auto is_host = [](const auto& header) { return header.first == "host"; };
  if (std::none_of(options.connect_headers.begin(), options.connect_headers.end(), is_host)) {
    options.connect_headers.emplace_back("host", options.host);
  }
  if (options.text_bytes < kStampBytes) {
    throw CLI::ValidationError("--text-bytes: the stamp alone takes 34");
  }
  if (options.mode == Options::Mode::slow &&
      (!options.has_identities || options.pid == 0 || options.rate > 0)) {
    throw CLI::ValidationError("--mode slow: needs --server realtimechat, --pid and no --rate");
  }
  if (options.mode == Options::Mode::storm && options.rate <= 0) {
    throw CLI::ValidationError("--mode storm: needs --rate");
  }
  if (options.mode == Options::Mode::hold && options.room_names.empty()) {
    throw CLI::ValidationError("--mode hold: needs --room-file");
  }
  if (options.mode == Options::Mode::cost && !options.has_identities) {
    throw CLI::ValidationError("--mode cost: needs --server realtimechat");
  }
  const bool writes = options.mode == Options::Mode::traffic ||
                      options.mode == Options::Mode::slow || options.mode == Options::Mode::storm;
  if (writes && options.publishers > options.readers) {
    throw CLI::ValidationError("--publishers: each is a reader too, so at most --readers");
  }
  if (options.body.find("{text}") == std::string::npos) {
    throw CLI::ValidationError("--body: needs {text}, where the stamp goes");
  }
}

void add_cost_options(CLI::App& app, Options& options) {
  using Transport = Options::Transport;
  app.add_option("--transport", options.transport,
                 "Cost mode: what carries the chat to its readers")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Transport>{{"poll", Transport::poll},
                                           {"xhr", Transport::xhr},
                                           {"xhr-streaming", Transport::xhr_streaming},
                                           {"eventsource", Transport::eventsource},
                                           {"websocket", Transport::websocket}}));
  app.add_option("--poll", options.poll_seconds, "Seconds between two polls of one reader")
      ->check(CLI::PositiveNumber);
  app.add_flag("!--no-keep-alive", options.keep_alive, "A new connection for each poll");
}

void add_load_options(CLI::App& app, Options& options) {
  app.add_option("--rooms", options.rooms, "Rooms")->check(CLI::PositiveNumber);
  app.add_option("--readers", options.readers, "Readers of each room")->check(CLI::PositiveNumber);
  app.add_option("--publishers", options.publishers, "Readers of each room who also write")
      ->check(CLI::PositiveNumber);
  app.add_option("--text-bytes", options.text_bytes, "Length of each text");
  app.add_option("--in-flight", options.in_flight, "Closed loop: messages of one publisher")
      ->check(CLI::PositiveNumber);
  app.add_option("--window", options.window, "What ends a message's flight: copy or receipt")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Options::Window>{
          {"copy", Options::Window::copy}, {"receipt", Options::Window::receipt}}));
  app.add_option(
      "--rate", options.rate,
      "Open loop: messages a second of all publishers together, sent on time whatever "
      "the server does; latency counts from when they were due. Churn: visits a second at most");
  app.add_option("--messages", options.messages, "Each publisher's, instead of --seconds");
  app.add_option("--seconds", options.seconds, "Time measured");
  app.add_option("--warm-up", options.warm_up_seconds, "Seconds before that");
  app.add_option("--settle", options.settle_seconds,
                 "Idle mode: seconds between the last join and the measurement");
  app.add_option("--newcomers", options.newcomers, "Storm mode: sessions that come at once")
      ->check(CLI::PositiveNumber);
  app.add_option("--pairs", options.pairs, "Slow mode: windows of --seconds without and with them")
      ->check(CLI::PositiveNumber);
  app.add_option("--heart-beat", options.heart_beat_ms, "Milliseconds to offer, both ways");
  app.add_option("--at-once", options.at_once, "Joins under way together")
      ->check(CLI::PositiveNumber);
  app.add_option("--patience", options.patience_seconds,
                 "Seconds without progress after which what is missing counts as lost");
}

}  // namespace

Options parse_options(int argc, char** argv) {
  CLI::App app(
      "Loads a STOMP-over-WebSocket server and counts every loss, repeat and disorder.\n"
      "Exit code: 0 fine; 1 something was lost, repeated, out of order or cut off; 2 no figures, "
      "because the client was the busy side; 3 cannot run.",
      "rtc_load");
  Options options;
  std::string url;
  std::string kind = "realtimechat";
  std::vector<std::string> headers;
  std::string room_file;
  app.add_option("url", url, "ws://HOST:PORT/PATH")->required();
  app.add_option("--server", kind,
                 "realtimechat: tokens from GET /init, rooms from POST /chatroom; or stomp")
      ->check(CLI::IsMember({"realtimechat", "stomp"}));
  app.add_option(
         "--mode", options.mode,
         "traffic; slow: the same without and with a stalled reader and one at 1 KB/s, in "
         "turns; storm: the same while --newcomers come at once; idle: only hold sessions; "
         "churn: join and leave; cost: one writer to all "
         "rooms, and readers by --transport; hold: sessions of one node of a cluster, opened "
         "and asked about by lines on the standard input (bench/load/hold.hpp)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Options::Mode>{{"traffic", Options::Mode::traffic},
                                               {"slow", Options::Mode::slow},
                                               {"storm", Options::Mode::storm},
                                               {"idle", Options::Mode::idle},
                                               {"churn", Options::Mode::churn},
                                               {"cost", Options::Mode::cost},
                                               {"hold", Options::Mode::hold}}));
  options.subprotocol = "v12.stomp";
  app.add_option("--subprotocol", options.subprotocol, "Of the WebSocket");
  app.add_option("--header", headers, "name:value of the CONNECT frame, such as login:guest");
  app.add_option("--subscribe", options.subscribe_to, "Destination, with {room}");
  app.add_option("--also-subscribe", options.also_subscribe_to,
                 "Another destination of everyone, with {room}");
  app.add_option("--send", options.send_to, "Destination, with {room}");
  app.add_option("--body", options.body, "Of a message, with {text} and {room}");
  app.add_option("--pid", options.pid, "The server's process, to read its CPU time and memory");
  app.add_option(
      "--from", options.from,
      "IPv4 addresses of this machine to connect from, in turns: each has some 28,000 ports "
      "towards one server, and finding a free one is slow beyond half of them");
  app.add_option("--room-file", room_file,
                 "Names of rooms that are there already, a line each, instead of --rooms new ones");
  app.add_flag("!--no-history", options.history,
               "Make rooms whose messages are live only (RealTimeChat)");
  app.add_flag("--json", options.json, "Print the figures as one JSON object");
  add_load_options(app, options);
  add_cost_options(app, options);
  try {
    app.parse(argc, argv);
    parse_url(url, options);
    parse_headers(headers, options);
    options.has_identities = kind == "realtimechat";
    read_room_names(room_file, options);
    complete(options);
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem) == 0 ? 0 : kCannotRun);
  }
  return options;
}

std::string expand(std::string text, std::string_view name, std::string_view value) {
  for (std::size_t at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size())) {
    text.replace(at, name.size(), value);
  }
  return text;
}

}  // namespace load

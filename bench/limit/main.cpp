// The ruler: the least that a server can do for the same load. One epoll loop; WebSocket; just
// enough STOMP for the load client to take it for a server (CONNECT, SUBSCRIBE, SEND, DISCONNECT);
// each SEND goes to all subscribers of its destination with a fixed header block, either at once,
// in a write of its own for each ("each"), or with the turn's others in one gathered write per
// session
// ("gather"). A heart-beat is answered with one: it has no timers. No identities, no checks, no
// store, no history, no bounds: no chat.
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <unordered_map>
#include <vector>

namespace {

constexpr std::size_t kReadBytes = 256 << 10;
constexpr std::string_view kHeadEnd = "\r\n\r\n";

struct Room;

struct Connection {
  int fd = -1;
  bool upgraded = false;
  bool closing = false;
  bool watches_write = false;
  std::string in;   // what has not come whole
  std::string out;  // its own answers, and what the socket would not take
  std::vector<std::pair<Room*, std::uint32_t>> seats;  // with the index in the room
};

struct Room {
  std::string destination;
  std::string pending;  // what this turn brought: the same bytes for all
  std::vector<Connection*> members;
};

class Limit {
 public:
  Limit(std::uint16_t port, bool gathers);
  [[noreturn]] void run();

 private:
  void accept_all();
  void read(Connection& connection);
  std::size_t take(Connection& connection, std::string_view bytes);
  std::size_t upgrade(Connection& connection, std::string_view bytes);
  void on_stomp(Connection& connection, std::string_view frame);
  Room& room(std::string_view destination);
  void answer(Connection& connection, std::string_view stomp);
  void end_turn();
  void deliver(Room& room);
  void write(Connection& connection, std::string_view shared);
  void end(Connection& connection);

  int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  int listener_;
  bool gathers_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  std::unordered_map<std::string, std::unique_ptr<Room>> rooms_;
  std::vector<Room*> dirty_;
  std::vector<Connection*> answered_;
  std::vector<std::unique_ptr<Connection>> graves_;
};

// The header of an unmasked frame of one piece.
void append_head(std::string& out, std::uint8_t opcode, std::size_t size) {
  out += static_cast<char>(0x80 | opcode);
  if (size < 126) {
    out += static_cast<char>(size);
    return;
  }
  const bool wide = size > UINT16_MAX;
  out += static_cast<char>(wide ? 127 : 126);
  for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
}

std::string_view header(std::string_view frame, std::string_view name) {
  const std::size_t at = frame.find(name);
  if (at == std::string_view::npos) return {};
  const std::string_view value = frame.substr(at + name.size());
  return value.substr(0, value.find_first_of("\r\n"));
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, 20> hash{};
  EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha1(), nullptr);
  std::array<unsigned char, 32> base64{};
  EVP_EncodeBlock(base64.data(), hash.data(), static_cast<int>(hash.size()));
  return reinterpret_cast<const char*>(base64.data());
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

Limit::Limit(std::uint16_t port, bool gathers)
    : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)), gathers_(gathers) {
  const int yes = 1;
  ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(listener_, 4096) != 0) fail("listen");
  epoll_event event{};
  event.events = EPOLLIN;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0) fail("epoll_ctl");
}

void Limit::run() {
  std::array<epoll_event, 256> events{};
  while (true) {
    const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), -1);
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      auto* const connection = static_cast<Connection*>(event.data.ptr);
      if (connection == nullptr) {
        accept_all();
        continue;
      }
      if ((event.events & EPOLLOUT) != 0) write(*connection, {});
      if ((event.events & ~static_cast<unsigned>(EPOLLOUT)) != 0) read(*connection);
    }
    end_turn();
  }
}

void Limit::accept_all() {
  const int yes = 1;
  for (int i = 0; i < 64; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.release();  // the kernel keeps it; end() takes it back
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
  }
}

void Limit::read(Connection& connection) {
  if (connection.fd < 0) return;
  const ssize_t count = ::recv(connection.fd, buffer_.data(), buffer_.size(), 0);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    end(connection);
    return;
  }
  const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
  if (connection.in.empty()) {
    connection.in = bytes.substr(take(connection, bytes));
  } else {
    connection.in += bytes;
    connection.in.erase(0, take(connection, connection.in));
  }
  if (connection.in.empty()) std::string().swap(connection.in);
}

std::size_t Limit::take(Connection& connection, std::string_view bytes) {
  std::size_t taken = connection.upgraded ? 0 : upgrade(connection, bytes);
  while (connection.upgraded && !connection.closing && connection.fd >= 0) {
    const std::string_view rest = bytes.substr(taken);
    if (rest.size() < 2) break;
    std::size_t size = static_cast<std::uint8_t>(rest[1]) & 0x7F;
    const std::size_t wide = size == 126 ? 2 : size == 127 ? 8 : 0;
    const std::size_t head = 2 + wide + 4;
    if (rest.size() < head) break;
    if (wide > 0) size = 0;
    for (std::size_t i = 0; i < wide; ++i)
      size = size << 8 | static_cast<std::uint8_t>(rest[2 + i]);
    if (rest.size() < head + size) break;
    // In place: these bytes are the read buffer's or `in`'s, never anybody else's.
    char* const payload = const_cast<char*>(rest.data()) + head;
    const char* const mask = payload - 4;
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
    taken += head + size;
    const auto opcode = static_cast<std::uint8_t>(rest[0]) & 0x0F;
    if (opcode == 8) {
      append_head(connection.out, 8, 0);
      answered_.push_back(&connection);
      connection.closing = true;
    } else if (opcode <= 2) {
      on_stomp(connection, {payload, size});
    }
  }
  return connection.closing ? bytes.size() : taken;
}

std::size_t Limit::upgrade(Connection& connection, std::string_view bytes) {
  const std::size_t end_of_head = bytes.find(kHeadEnd);
  if (end_of_head == std::string_view::npos) return 0;
  const std::string_view key = header(bytes.substr(0, end_of_head), "Sec-WebSocket-Key: ");
  connection.out +=
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Protocol: v12.stomp\r\nSec-WebSocket-Accept: " +
      accept_key(key) + "\r\n\r\n";
  answered_.push_back(&connection);
  connection.upgraded = true;
  return end_of_head + kHeadEnd.size();
}

void Limit::on_stomp(Connection& connection, std::string_view frame) {
  using namespace std::string_view_literals;
  if (frame.starts_with("SEND")) {
    const std::size_t body_at = frame.find("\n\n") + 2;
    const std::string_view body = frame.substr(body_at, frame.find('\0', body_at) - body_at);
    Room& to = room(header(frame, "\ndestination:"));
    if (gathers_ && to.pending.empty()) dirty_.push_back(&to);
    const std::string head = "MESSAGE\nsubscription:sub-0\ndestination:" + to.destination +
                             "\nmessage-id:1\ncontent-type:application/json\ncontent-length:" +
                             std::to_string(body.size()) + "\n\n";
    append_head(to.pending, 1, head.size() + body.size() + 1);
    to.pending.append(head).append(body).append(1, '\0');
    if (!gathers_) deliver(to);
  } else if (frame.starts_with("CONNECT") || frame.starts_with("STOMP")) {
    const std::string_view offered = header(frame, "\nheart-beat:");
    answer(connection, "CONNECTED\nversion:1.2\nheart-beat:" +
                           std::string(offered.empty() ? "0,0"sv : offered) + "\n\n" + '\0');
  } else if (frame == "\n") {
    answer(connection, frame);
  } else if (frame.starts_with("SUBSCRIBE")) {
    Room& joined = room(header(frame, "\ndestination:"));
    connection.seats.emplace_back(&joined, static_cast<std::uint32_t>(joined.members.size()));
    joined.members.push_back(&connection);
  }
  const std::string_view receipt = header(frame, "\nreceipt:");
  if (!receipt.empty()) {
    answer(connection, "RECEIPT\nreceipt-id:" + std::string(receipt) + "\n\n" + '\0');
  }
}

Room& Limit::room(std::string_view destination) {
  auto& found = rooms_[std::string(destination)];
  if (found == nullptr) found = std::make_unique<Room>(Room{std::string(destination), {}, {}});
  return *found;
}

void Limit::answer(Connection& connection, std::string_view stomp) {
  append_head(connection.out, 1, stomp.size());
  connection.out += stomp;
  answered_.push_back(&connection);
}

void Limit::deliver(Room& room) {
  for (std::size_t i = 0; i < room.members.size();) {
    Connection* const member = room.members[i];
    write(*member, room.pending);
    // Unless he ended, and another took his place.
    if (i < room.members.size() && room.members[i] == member) ++i;
  }
  room.pending.clear();
}

void Limit::end_turn() {
  for (Room* const each : dirty_) deliver(*each);
  dirty_.clear();
  for (Connection* const each : answered_) write(*each, {});
  answered_.clear();
  graves_.clear();
}

// What waits first, then what the whole room gets, in one system call.
void Limit::write(Connection& connection, std::string_view shared) {
  std::string& out = connection.out;
  if (connection.fd < 0 || out.size() + shared.size() == 0) return;
  std::array<iovec, 2> parts{iovec{out.data(), out.size()},
                             iovec{const_cast<char*>(shared.data()), shared.size()}};
  ssize_t count = -1;
  errno = EAGAIN;
  if (!connection.watches_write || shared.empty()) {
    count = out.empty() ? ::send(connection.fd, shared.data(), shared.size(), MSG_NOSIGNAL)
                        : ::writev(connection.fd, parts.data(), 2);
  }
  if (count < 0 && errno != EAGAIN) {
    end(connection);
    return;
  }
  const std::size_t written = count < 0 ? 0 : static_cast<std::size_t>(count);
  const std::size_t of_own = std::min(written, out.size());
  out.erase(0, of_own);
  out += shared.substr(written - of_own);
  if (out.empty()) std::string().swap(out);
  if (connection.closing && out.empty()) {
    end(connection);
  } else if (out.empty() == connection.watches_write) {
    connection.watches_write = !out.empty();
    epoll_event event{};
    event.events = connection.watches_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &connection;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, connection.fd, &event);
  }
}

void Limit::end(Connection& connection) {
  if (connection.fd < 0) return;
  ::close(connection.fd);
  connection.fd = -1;
  for (const auto& [left, index] : connection.seats) {
    Connection* const last = left->members.back();
    left->members.pop_back();
    if (last == &connection) continue;
    left->members[index] = last;
    for (auto& [room_of_last, index_of_last] : last->seats) {
      if (room_of_last == left) index_of_last = index;
    }
  }
  graves_.emplace_back(&connection);  // others may still point to it in this turn
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view writes = argc == 3 ? argv[2] : "";
  if (writes != "each" && writes != "gather") {
    std::fprintf(stderr, "usage: rtc_limit PORT each|gather   (listens on 127.0.0.1)\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  Limit(static_cast<std::uint16_t>(std::atoi(argv[1])), writes == "gather").run();
}

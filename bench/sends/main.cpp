// What the sends of one turn cost the sender: a sendmsg for each connection, or all of them handed
// to io_uring 256 at a time. Prints Markdown.
//
//   rtc_sends [BYTES...]     of each send; 500 and 5000 unless told
//
// 1,000 TCP connections over loopback, each sent the same bytes; a round is all ways by turns, in
// an order that changes. Once nobody waits for the bytes (they are read between the rounds), so
// that nothing but the sending is in the figures; once a reader sleeps in epoll on another core, as
// a client of the same machine does, and its waking is in them too. CPU time of the sending thread,
// and of ksoftirqd where it takes over. Uses nothing of src/: it measures a choice, not the code
// (docs/adr/0016-no-io-uring.md).
#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <liburing.h>
#include <memory>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t kConnections = 1000;
constexpr std::size_t kRounds = 400;
constexpr unsigned kBatch = 256;
constexpr int kFlags = MSG_NOSIGNAL | MSG_DONTWAIT;

enum Way : std::size_t { plain, ring, ring_fixed, ring_flat, ways };
constexpr std::array<const char*, ways> kNames{"`sendmsg` each", "io_uring, `SENDMSG`",
                                               "the same, registered files",
                                               "io_uring, `SEND`, registered files"};

[[noreturn]] void die(const char* what, int error) {
  std::fprintf(stderr, "rtc_sends: %s: %s\n", what, std::strerror(error));
  std::exit(1);
}

void check(bool fine, const char* what) {
  if (!fine) die(what, errno);
}

void pin(pthread_t thread, unsigned core) {
  if (std::thread::hardware_concurrency() < 2) return;
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  pthread_setaffinity_np(thread, sizeof cores, &cores);
}

// Accepted sockets, which send, and their peers, which read.
struct Sockets {
  std::vector<int> senders;
  std::vector<int> readers;

  Sockets() {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    socklen_t size = sizeof address;
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const any = reinterpret_cast<sockaddr*>(&address);
    check(::bind(listener, any, size) == 0 && ::listen(listener, 16) == 0, "listen");
    ::getsockname(listener, any, &size);
    const int yes = 1;
    for (std::size_t i = 0; i < kConnections; ++i) {
      readers.push_back(::socket(AF_INET, SOCK_STREAM, 0));
      check(::connect(readers.back(), any, size) == 0, "connect");
      senders.push_back(::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK));
      check(senders.back() >= 0, "accept");
      ::setsockopt(senders.back(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    }
    ::close(listener);
  }
};

class Sender {
 public:
  Sender(const std::vector<int>& sockets, std::size_t bytes)
      : sockets_(sockets), text_(bytes, 'x'), part_{text_.data(), bytes} {
    message_.msg_iov = &part_;
    message_.msg_iovlen = 1;
    io_uring_params params{};
    // The cheapest that one thread can ask for; the first flag so that one failure stops no other.
    params.flags =
        IORING_SETUP_SUBMIT_ALL | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    if (const int error = io_uring_queue_init_params(kBatch, &ring_, &params); error < 0) {
      die("io_uring is not to be had here", -error);
    }
    io_uring_register_ring_fd(&ring_);
    const int error =
        io_uring_register_files(&ring_, sockets_.data(), static_cast<unsigned>(sockets_.size()));
    if (error < 0) die("io_uring_register_files", -error);
  }
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;
  ~Sender() { io_uring_queue_exit(&ring_); }

  // To every socket, once.
  void send(Way way) {
    for (std::size_t at = 0; at < sockets_.size();) {
      if (way == plain) {
        expect_all(::sendmsg(sockets_[at++], &message_, kFlags));
      } else {
        at += submit(way, at);
      }
    }
  }

 private:
  std::size_t submit(Way way, std::size_t begin) {
    const std::size_t count = std::min<std::size_t>(kBatch, sockets_.size() - begin);
    for (std::size_t i = begin; i < begin + count; ++i) {
      io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
      const int file = way == ring ? sockets_[i] : static_cast<int>(i);
      if (way == ring_flat) {
        io_uring_prep_send(entry, file, text_.data(), text_.size(), kFlags);
      } else {
        io_uring_prep_sendmsg(entry, file, &message_, kFlags);
      }
      if (way != ring) entry->flags |= IOSQE_FIXED_FILE;
    }
    // One call: with MSG_DONTWAIT all of them are complete when it returns.
    if (io_uring_submit_and_wait(&ring_, static_cast<unsigned>(count)) < 0) std::abort();
    unsigned head = 0;
    unsigned done = 0;
    io_uring_cqe* completion = nullptr;
    io_uring_for_each_cqe(&ring_, head, completion) {
      expect_all(completion->res);
      ++done;
    }
    if (done != count) std::abort();
    io_uring_cq_advance(&ring_, done);
    return count;
  }
  void expect_all(ssize_t sent) const {
    if (sent != static_cast<ssize_t>(text_.size())) die("a send took less than all", EAGAIN);
  }

  const std::vector<int>& sockets_;
  std::string text_;
  iovec part_;
  msghdr message_{};
  io_uring ring_{};
};

std::size_t read_some(int socket) {
  static thread_local std::array<char, 64 << 10> buffer;
  const ssize_t count = ::recv(socket, buffer.data(), buffer.size(), 0);
  check(count > 0, "recv");
  return static_cast<std::size_t>(count);
}

// A thread that sleeps until something comes, on core 1.
class Reader {
 public:
  explicit Reader(const std::vector<int>& sockets) {
    for (const int socket : sockets) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = socket;
      check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event) == 0, "epoll_ctl");
    }
    thread_ = std::thread([this] { run(); });
    pin(thread_.native_handle(), 1);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    stopping_ = true;
    thread_.join();
    ::close(epoll_);
  }
  void await(std::size_t bytes) {
    while (read_ < bytes) std::this_thread::yield();
    read_ = 0;
  }

 private:
  void run() {
    std::array<epoll_event, 256> events{};
    while (!stopping_) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < count; ++i) {
        read_ += read_some(events[static_cast<std::size_t>(i)].data.fd);
      }
    }
  }
  int epoll_ = ::epoll_create1(0);
  std::atomic<std::size_t> read_{0};
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

double cpu_ns() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// What the core's softirq thread has used: on a busy core the kernel lets it do part of the
// receiving that a send began, unseen by the sender's clock.
double softirq_ns() {
  static const std::string path = [] {
    for (int pid = 2; pid < 200; ++pid) {
      const std::string folder = "/proc/" + std::to_string(pid);
      std::string name;
      std::getline(std::ifstream(folder + "/comm"), name);
      if (name == "ksoftirqd/0") return folder + "/schedstat";
    }
    return std::string();  // a container does not show it
  }();
  double used = 0;
  std::ifstream(path) >> used;
  return used;
}

double quantile(std::vector<double> values, double share) {
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

void measure(const Sockets& sockets, std::size_t bytes, bool somebody_waits) {
  Sender sender(sockets.senders, bytes);
  std::unique_ptr<Reader> reader;
  if (somebody_waits) reader = std::make_unique<Reader>(sockets.readers);
  std::array<std::vector<double>, ways> times;
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < ways; ++i) {
      const std::size_t way = round % 2 == 0 ? i : ways - 1 - i;
      const double left_to_others = softirq_ns();
      const double began = cpu_ns();
      sender.send(static_cast<Way>(way));
      const double took = cpu_ns() - began;
      if (reader != nullptr) {
        reader->await(bytes * kConnections);
      } else {
        for (const int socket : sockets.readers) {
          for (std::size_t got = 0; got < bytes;) got += read_some(socket);
        }
      }
      times[way].push_back((took + softirq_ns() - left_to_others) / kConnections);
    }
  }
  for (std::size_t way = 0; way < ways; ++way) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < kRounds; ++round) {
      ratios.push_back(times[way][round] / times[plain][round]);
    }
    std::printf("| %zu | %s | %s | %.2f | %.2f | %.2f to %.2f |\n", bytes,
                somebody_waits ? "sleeps" : "reads later", kNames[way],
                quantile(times[way], 0.5) / 1000, quantile(ratios, 0.5), quantile(ratios, 0.25),
                quantile(ratios, 0.75));
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) {
    sizes.push_back(static_cast<std::size_t>(std::atol(argv[i])));
    if (sizes.back() == 0 || sizes.back() > 64 << 10) {
      std::fprintf(stderr, "usage: rtc_sends [BYTES...]   (1 to 65536, of each send)\n");
      return 2;
    }
  }
  if (sizes.empty()) sizes = {500, 5000};
  pin(pthread_self(), 0);
  const Sockets sockets;
  std::printf(
      "| bytes | the reader | | CPU µs a send | × `sendmsg` | quartiles |\n"
      "| ---: | --- | --- | ---: | ---: | ---: |\n");
  for (const bool somebody_waits : {false, true}) {
    for (const std::size_t bytes : sizes) measure(sockets, bytes, somebody_waits);
  }
}

// Hold: the sessions of one node of a cluster. Whoever started it writes to the standard input what
// to do, a line each, and reads the answers, lines of JSON, from the standard output
// (bench/largest_cluster.mjs). The first answer comes by itself: {"prepared":N}, all tokens are
// there.
//
//   join N    {"joined":N,"seconds":S}: opens sessions until N are connected and subscribed
//   report    {"joined":N,"closed":N,"messages":N,"bytes":N,"holes":N,"repeats":N,"told":[…]}: what
//             came so far, heart-beats not counted; `told` is new since the last report: of each
//             message of the room that the room file names first [id, readers who have it, when the
//             first and when the last of them had it, in nanoseconds of the machine's monotonic
//             clock]
//
// It ends with the input. A session that the server cuts off is counted, and nothing more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crowd.hpp"
#include "options.hpp"

namespace load {

class Hold final : public SessionEvents, private Endpoint {
 public:
  explicit Hold(const Options& options);
  void run();

 private:
  struct Told {
    std::uint32_t readers = 0;
    std::int64_t first_ns = 0;
    std::int64_t last_ns = 0;
  };

  void on_ready(Session& session) override;
  void on_message(Session& session, std::string_view frame) override;
  void on_receipt(Session& /*session*/) override {}
  void on_heart_beat() override {}
  void on_closed(Session& session, const std::string& why) override;

  // Of the standard input.
  void on_readable() override;
  void flush() override {}

  void obey(const std::string& line);
  void join(std::uint32_t all);
  void report();

  const Options& options_;
  Loop loop_;
  Crowd crowd_;
  std::string input_;  // lines, the last one perhaps not whole
  bool ended_ = false;
  bool joining_ = false;
  std::uint32_t joined_ = 0;
  std::vector<std::uint64_t> newest_;  // of each session: the id it had last; 0: none
  std::map<std::uint64_t, Told> told_;
  std::uint64_t messages_ = 0;
  std::uint64_t bytes_ = 0;  // of their frames
  std::uint64_t holes_ = 0;
  std::uint64_t repeats_ = 0;
  std::uint64_t closed_ = 0;
};

}  // namespace load

// Whether what this node sends into each partition of a topic comes back out of it, and soon
// enough: nothing else shows that messages of other nodes come too, and not late. Pure; times are
// given.
//
// A node sends a beat into every partition now and then, and reads them as it reads everything. A
// partition is up from the first own beat on that was sent after its reading began, as what comes
// behind that one is read; it is lost when the newest of them was sent too long ago. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rtc::relay {

class Pulse {
 public:
  static constexpr std::size_t kBeatBytes = 24;

  explicit Pulse(std::uint64_t timeout_ms);

  // How many partitions there are; new ones are lost, and to be begun.
  void resize(std::size_t partitions);
  std::size_t partitions() const { return partitions_.size(); }

  // Whether beats are to be sent now, one into each partition; four in a timeout, and more while
  // a partition is not up.
  bool is_due(std::uint64_t now_us);
  // The bytes of one sent now.
  std::string beat(std::uint64_t now_us) const;

  enum class Heard { none, other, own };  // no beat at all; another node's, or an older one of ours
  // What came of a partition. Own: it counts, and the partition is up.
  Heard hear(std::size_t partition, std::string_view bytes);

  // Those whose reading is to begin (again), at the end: new ones, and those lost for a timeout.
  std::vector<std::size_t> lost(std::uint64_t now_us);
  // Its reading began before now.
  void begun(std::size_t partition, std::uint64_t now_us);

  // Every partition is up, and there is one.
  bool is_up() const { return !partitions_.empty() && up_ == partitions_.size(); }
  // How often a partition came up so far.
  std::uint64_t ups() const { return ups_; }

 private:
  struct Partition {
    bool begun = false;
    bool up = false;
    std::uint64_t begun_us = 0;
    std::uint64_t alive_us = 0;  // when the newest beat that came back was sent, or begun_us
  };

  const std::uint64_t timeout_us_;
  std::array<std::uint8_t, 16> id_{};  // of this object's beats
  std::vector<Partition> partitions_;
  std::size_t up_ = 0;
  std::uint64_t ups_ = 0;
  std::uint64_t sent_us_ = 0;  // the last beats
};

}  // namespace rtc::relay

// What the store's benchmark is told on the command line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace store {

struct Options {
  std::uint64_t rows = 1'000'000;  // messages that the full database holds
  std::uint32_t rooms = 100;
  std::size_t batch = 1024;  // messages of one commit: store_batch_max
  std::size_t text_bytes = 128;
  bool keys = false;             // each message with a message-key of its own
  double seconds = 5;            // of each measurement of commits
  std::uint32_t pages = 20'000;  // read, half of them with the newest
  std::uint32_t page_size = 50;
  std::filesystem::path directory;  // a new one in it is used, and removed
  bool json = false;
};

// Prints what is wrong, or the help, and ends the program.
Options parse_options(int argc, char** argv);

}  // namespace store

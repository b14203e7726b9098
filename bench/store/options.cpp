#include "options.hpp"

#include <CLI/CLI.hpp>

namespace store {

constexpr int kCannotRun = 3;

Options parse_options(int argc, char** argv) {
  Options options;
  std::string directory = ".";
  CLI::App app("Measures the message store of RealTimeChat without a network.");
  app.add_option("--rows", options.rows, "Messages in the full database")->capture_default_str();
  app.add_option("--rooms", options.rooms, "Rooms, written to at random")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--batch", options.batch, "Messages of one commit")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--text-bytes", options.text_bytes, "Length of a text")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_flag("--keys", options.keys, "A message-key with each message");
  app.add_option("--seconds", options.seconds, "Of each measurement of commits")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--pages", options.pages, "Pages read at random depths, and newest pages")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--page-size", options.page_size, "Messages of a page")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--directory", directory, "Where the files lie meanwhile: on the disk to measure")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  app.add_flag("--json", options.json, "One JSON object instead of lines");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    std::exit(app.exit(problem) == 0 ? 0 : kCannotRun);
  }
  options.directory = directory;
  return options;
}

}  // namespace store

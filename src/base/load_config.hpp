// How settings are read: defaults < file < environment < flags. At start-up, one thread.
#pragma once

#include <span>
#include <string>

#include "base/config.hpp"
#include "base/result.hpp"

namespace rtc {

// What the command line asks for instead of running.
enum class ConfigAction {
  run,
  print_help,
  print_version,
  print_settings,
  copy_store,
  ban,
  unban,
  list_bans
};

// Of the actions ban and unban, as it was given; server/ban_command.hpp judges it.
struct BanRequest {
  std::string target;
  std::uint64_t for_ms = 0;  // 0: for ever
  std::string reason;
};

struct LoadedConfig {
  ConfigAction action = ConfigAction::run;
  Config config;
  std::string help;  // print_help: the text
  BanRequest ban;
};

// Whether the settings make sense and fit together; the error names those that do not.
Result<void> validate(const Config& config);

// Reads all sources and validates. `environment` is a null-terminated array such as ::environ; only
// RTC_… names are looked at. An unknown or malformed setting is an error whose message names it and
// its source.
Result<LoadedConfig> load_config(std::span<char* const> arguments, char* const* environment);

// The table of all settings as Markdown: docs/settings.md.
std::string settings_markdown();

}  // namespace rtc

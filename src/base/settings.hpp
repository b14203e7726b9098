// The table of settings behind base/config: what each is called, means, defaults to and may be.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/config.hpp"
#include "base/result.hpp"

namespace rtc {

struct Setting {
  // Where the value goes; the type says how it is written (see `format()`).
  using Text = std::string Config::*;
  using List = std::vector<std::string> Config::*;
  using Level = log::Level Config::*;
  using Count = std::uint32_t Config::*;
  using LargeCount = std::uint64_t Config::*;
  struct Bytes {
    std::uint32_t Config::*member;
  };
  struct Duration {
    std::uint64_t Config::*member;
  };
  using Switch = bool Config::*;
  struct Choice {
    std::string Config::*member;
    std::span<const std::string_view> options;  // lives for ever
  };
  using Target =
      std::variant<Text, List, Level, Switch, Count, LargeCount, Bytes, Duration, Choice>;

  std::string_view name;  // in the file; RTC_<UPPER> in the environment; --with-dashes as a flag
  Target target;
  std::string_view fallback;  // the default, written as a user would
  std::uint64_t min = 0;      // numbers, bytes and milliseconds: the allowed range
  std::uint64_t max = 0;
  std::string_view meaning;

  std::string flag() const;         // "--data-dir"
  std::string environment() const;  // "RTC_DATA_DIR"
  std::string format() const;       // "size, 1KiB to 1GiB"
  // Parses and assigns; the error says what was expected, not which setting it is.
  Result<void> assign(Config& config, std::span<const std::string> values) const;
};

std::span<const Setting> all_settings();

// Milliseconds of a duration as settings write it, such as 30s or 1d.
Result<std::uint64_t> parse_duration(std::string_view text);

}  // namespace rtc

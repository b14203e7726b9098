// How the value of a setting is written and read.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <fmt/ranges.h>

#include "base/settings.hpp"

namespace rtc {
namespace {

struct Unit {
  std::string_view suffix;
  std::uint64_t factor;
};
constexpr std::array kByteUnits{Unit{"B", 1}, Unit{"KiB", 1ULL << 10}, Unit{"MiB", 1ULL << 20},
                                Unit{"GiB", 1ULL << 30}};
constexpr std::array kTimeUnits{Unit{"ms", 1}, Unit{"s", 1000}, Unit{"m", 60'000},
                                Unit{"h", 3'600'000}, Unit{"d", 86'400'000}};
constexpr std::array<std::pair<std::string_view, log::Level>, 6> kLevels{{
    {"trace", log::Level::trace},
    {"debug", log::Level::debug},
    {"info", log::Level::info},
    {"warn", log::Level::warn},
    {"error", log::Level::error},
    {"off", log::Level::off},
}};

std::string in_largest_unit(std::uint64_t value, std::span<const Unit> units) {
  for (auto unit = units.rbegin(); unit != units.rend(); ++unit) {
    if (value != 0 && value % unit->factor == 0) {
      return std::to_string(value / unit->factor) + std::string(unit->suffix);
    }
  }
  return std::to_string(value) + std::string(units.front().suffix);
}

// A whole number, with one of `units` behind it where there are any.
Result<std::uint64_t> parse_number(std::string_view text, std::span<const Unit> units) {
  std::uint64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  if (problem == std::errc{}) {
    if (units.empty() && suffix.empty()) return value;
    for (const Unit& unit : units) {
      if (suffix == unit.suffix && value <= UINT64_MAX / unit.factor) return value * unit.factor;
    }
  }
  return Error{ErrorCode::invalid_parameter, ""};
}

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

std::string range(std::uint64_t min, std::uint64_t max, std::span<const Unit> units) {
  if (units.empty()) return std::to_string(min) + " to " + std::to_string(max);
  return in_largest_unit(min, units) + " to " + in_largest_unit(max, units);
}

}  // namespace

Result<std::uint64_t> parse_duration(std::string_view text) {
  auto parsed = parse_number(text, kTimeUnits);
  if (!parsed) return Error{ErrorCode::invalid_parameter, "expected a duration, such as 1d"};
  return parsed;
}

std::string Setting::flag() const {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string Setting::environment() const {
  std::string variable = "RTC_" + std::string(name);
  std::transform(variable.begin(), variable.end(), variable.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return variable;
}

std::string Setting::format() const {
  return std::visit(
      Overloaded{
          [](Text) -> std::string { return "text"; },
          [](List) -> std::string { return "list"; },
          [](Level) -> std::string { return "one of trace, debug, info, warn, error, off"; },
          [](Switch) -> std::string { return "true or false"; },
          [this](Count) { return "number, " + range(min, max, {}); },
          [this](LargeCount) { return "number, " + range(min, max, {}); },
          [this](Bytes) { return "size, " + range(min, max, kByteUnits); },
          [this](Duration) { return "duration, " + range(min, max, kTimeUnits); },
          [](const Choice& choice) -> std::string {
            return fmt::format("one of {}", fmt::join(choice.options, ", "));
          },
      },
      target);
}

Result<void> Setting::assign(Config& config, std::span<const std::string> values) const {
  const Error expected{ErrorCode::invalid_parameter, "expected " + format()};
  if (const auto* list = std::get_if<List>(&target)) {
    config.*(*list) = {values.begin(), values.end()};
    return {};
  }
  if (values.size() != 1) return expected;
  const std::string& value = values.front();
  const auto number = [&](std::span<const Unit> units, auto& out) -> Result<void> {
    const bool bare = value.find_first_not_of("0123456789") == std::string::npos;
    if (!units.empty() && !value.empty() && bare) {
      return Error{ErrorCode::invalid_parameter, fmt::format("{}; {} needs a unit, such as {}",
                                                             expected.message, value, fallback)};
    }
    const auto parsed = parse_number(value, units);
    if (!parsed || *parsed < min || *parsed > max) return expected;
    out = static_cast<std::remove_reference_t<decltype(out)>>(*parsed);
    return {};
  };
  return std::visit(
      Overloaded{
          [&](Text member) -> Result<void> {
            config.*member = value;
            return {};
          },
          [](List) -> Result<void> { return {}; },
          [&](Level member) -> Result<void> {
            for (const auto& [level_name, level] : kLevels) {
              if (value == level_name) {
                config.*member = level;
                return {};
              }
            }
            return expected;
          },
          [&](Switch member) -> Result<void> {
            if (value != "true" && value != "false") return expected;
            config.*member = value == "true";
            return {};
          },
          [&](Count member) { return number({}, config.*member); },
          [&](LargeCount member) { return number({}, config.*member); },
          [&](Bytes to) { return number(kByteUnits, config.*(to.member)); },
          [&](Duration to) { return number(kTimeUnits, config.*(to.member)); },
          [&](const Choice& to) -> Result<void> {
            if (std::find(to.options.begin(), to.options.end(), value) == to.options.end()) {
              return expected;
            }
            config.*(to.member) = value;
            return {};
          },
      },
      target);
}

}  // namespace rtc

// Every setting, at every bound, from every source.
#include "base/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <set>

#include "unit/base/config_loader.hpp"

namespace rtc {
namespace {

using test::ConfigLoader;
using testing::HasSubstr;

// Settings that are a number: what it is counted in (its smallest unit, "" for none).
std::optional<std::string> unit_of(const Setting& setting) {
  if (std::holds_alternative<Setting::Bytes>(setting.target)) return "B";
  if (std::holds_alternative<Setting::Duration>(setting.target)) return "ms";
  if (std::holds_alternative<Setting::Count>(setting.target)) return "";
  if (std::holds_alternative<Setting::LargeCount>(setting.target)) return "";
  return std::nullopt;
}

std::uint64_t number_in(const Config& config, const Setting& setting) {
  if (const auto* to = std::get_if<Setting::Bytes>(&setting.target)) return config.*(to->member);
  if (const auto* to = std::get_if<Setting::Duration>(&setting.target)) return config.*(to->member);
  if (const auto* to = std::get_if<Setting::Count>(&setting.target)) return config.*(*to);
  return config.*std::get<Setting::LargeCount>(setting.target);
}

Result<void> assign(const Setting& setting, Config& config, const std::string& text) {
  return setting.assign(config, std::vector{text});
}

TEST(Settings, NamesAreUniqueInEveryForm) {
  std::set<std::string> names;
  for (const Setting& setting : all_settings()) {
    EXPECT_TRUE(names.insert(std::string(setting.name)).second) << setting.name;
    EXPECT_TRUE(names.insert(setting.flag()).second) << setting.name;
    EXPECT_TRUE(names.insert(setting.environment()).second) << setting.name;
    EXPECT_TRUE(setting.flag().starts_with("--")) << setting.flag();
    EXPECT_EQ(setting.flag().find('_'), std::string::npos) << setting.flag();
    EXPECT_TRUE(setting.environment().starts_with("RTC_")) << setting.environment();
    EXPECT_TRUE(setting.meaning.ends_with(".")) << setting.name;
    EXPECT_EQ(setting.meaning.find('|'), std::string::npos) << "would break the table";
  }
  EXPECT_FALSE(names.contains("RTC_CONFIG")) << "names the file";
}

TEST(Settings, EachHasAPlaceOfItsOwn) {
  // Two settings that write to one member: one of them would be without effect.
  for (const Setting& setting : all_settings()) {
    const auto same = [&](const Setting& other) {
      return other.target.index() == setting.target.index() &&
             std::visit(
                 [&](auto target) {
                   using T = decltype(target);
                   const auto& theirs = std::get<T>(other.target);
                   if constexpr (std::is_same_v<T, Setting::Bytes> ||
                                 std::is_same_v<T, Setting::Duration> ||
                                 std::is_same_v<T, Setting::Choice>) {
                     return theirs.member == target.member;
                   } else {
                     return theirs == target;
                   }
                 },
                 setting.target);
    };
    const auto settings = all_settings();
    EXPECT_EQ(std::count_if(settings.begin(), settings.end(), same), 1) << setting.name;
  }
}

TEST(Settings, DefaultsAndBoundsAreTakenAndNothingBeyondThem) {
  for (const Setting& setting : all_settings()) {
    const auto unit = unit_of(setting);
    if (!unit) continue;
    SCOPED_TRACE(setting.name);
    Config config;
    EXPECT_TRUE(assign(setting, config, std::string(setting.fallback)));
    EXPECT_TRUE(assign(setting, config, std::to_string(setting.min) + *unit));
    EXPECT_EQ(number_in(config, setting), setting.min);
    EXPECT_TRUE(assign(setting, config, std::to_string(setting.max) + *unit));
    EXPECT_EQ(number_in(config, setting), setting.max);

    const auto above = assign(setting, config, std::to_string(setting.max + 1) + *unit);
    EXPECT_FALSE(above);
    EXPECT_EQ(above.error().message, "expected " + setting.format());
    if (setting.min > 0) {
      EXPECT_FALSE(assign(setting, config, std::to_string(setting.min - 1) + *unit));
    }
    EXPECT_EQ(number_in(config, setting), setting.max) << "a refused value changes nothing";
  }
}

TEST(Settings, MalformedNumbersAreRefused) {
  for (const Setting& setting : all_settings()) {
    const auto unit = unit_of(setting);
    if (!unit) continue;
    SCOPED_TRACE(setting.name);
    Config config;
    const std::string good = std::to_string(setting.max) + *unit;
    // 2^64 and beyond must not wrap into the range.
    for (const std::string& bad :
         {std::string(), *unit + " ", "-" + good, "+" + good, " " + good, good + " ", good + "x",
          "0x10" + *unit, "1.5" + *unit, "1,5" + *unit, "1e3" + *unit,
          "18446744073709551616" + *unit, "18446744073709551617" + *unit, std::string("many")}) {
      EXPECT_FALSE(assign(setting, config, bad)) << "'" << bad << "'";
    }
    const std::vector<std::string> two{good, good};
    EXPECT_FALSE(setting.assign(config, two));
    EXPECT_FALSE(setting.assign(config, {}));
  }
}

const Setting& named(std::string_view name) {
  for (const Setting& setting : all_settings()) {
    if (setting.name == name) return setting;
  }
  ADD_FAILURE() << "there is no setting " << name;
  return all_settings().front();
}

TEST(Settings, UnitsAreWhatTheySay) {
  Config config;
  const Setting& lifetime = named("token_lifetime");
  for (const auto& [text, ms] : {std::pair<std::string, std::uint64_t>{"1500ms", 1500},
                                 {"2s", 2000},
                                 {"3m", 180'000},
                                 {"4h", 14'400'000},
                                 {"5d", 432'000'000}}) {
    ASSERT_TRUE(assign(lifetime, config, text)) << text;
    EXPECT_EQ(config.token_lifetime_ms, ms) << text;
  }
  const Setting& outbox = named("outbox_bytes_max");
  for (const auto& [text, bytes] : {std::pair<std::string, std::uint32_t>{"65536B", 65'536},
                                    {"64KiB", 65'536},
                                    {"3MiB", 3'145'728},
                                    {"1GiB", 1'073'741'824}}) {
    ASSERT_TRUE(assign(outbox, config, text)) << text;
    EXPECT_EQ(config.outbox_bytes_max, bytes) << text;
  }
  for (const char* bad : {"5000", "5sec", "5S", "5 s", "s", "5000KB", "1w"}) {
    EXPECT_FALSE(assign(lifetime, config, bad)) << bad;
    EXPECT_FALSE(assign(outbox, config, bad)) << bad;
  }
  for (const char* bare : {"0", "5000"}) {
    EXPECT_THAT(assign(lifetime, config, bare).error().message, HasSubstr("a unit, such as 1d"));
    EXPECT_THAT(assign(outbox, config, bare).error().message, HasSubstr("a unit, such as 1MiB"));
  }
  // 2^64 ms and a little in days and GiB: the product must not wrap.
  EXPECT_FALSE(assign(lifetime, config, "213503982335d"));
  EXPECT_FALSE(assign(outbox, config, "17179869185GiB"));
}

TEST(Settings, LevelsAreOfAList) {
  Config config;
  const Setting& level = named("log_level");
  for (const char* good : {"trace", "debug", "info", "warn", "error", "off"}) {
    EXPECT_TRUE(assign(level, config, good)) << good;
    EXPECT_THAT(level.format(), HasSubstr(good));
  }
  EXPECT_EQ(config.log_level, log::Level::off);
  for (const char* bad : {"", "INFO", "warning", "1"}) EXPECT_FALSE(assign(level, config, bad));
}

TEST(Settings, ChoicesAreOfAList) {
  Config config;
  for (const Setting& setting : all_settings()) {
    const auto* choice = std::get_if<Setting::Choice>(&setting.target);
    if (choice == nullptr) continue;
    SCOPED_TRACE(setting.name);
    EXPECT_TRUE(assign(setting, config, std::string(setting.fallback)));
    for (const std::string_view option : choice->options) {
      EXPECT_TRUE(assign(setting, config, std::string(option)));
      EXPECT_EQ(config.*(choice->member), option);
      EXPECT_THAT(setting.format(), HasSubstr(std::string(option)));
    }
    for (const char* bad : {"", "neither", " "}) EXPECT_FALSE(assign(setting, config, bad));
  }
}

TEST(Settings, TextsAndListsAreTakenAsTheyAre) {
  Config config;
  ASSERT_TRUE(assign(named("data_dir"), config, " a, b "));
  EXPECT_EQ(config.data_dir, " a, b ");
  const std::vector<std::string> two{"a:1", "b:2"};
  EXPECT_FALSE(named("data_dir").assign(config, two));
  ASSERT_TRUE(named("listen").assign(config, two));
  EXPECT_EQ(config.listen, two);
  ASSERT_TRUE(named("listen").assign(config, {}));
  EXPECT_TRUE(config.listen.empty());
}

TEST(Settings, EachReachesItsPlaceFromFileEnvironmentAndFlag) {
  ConfigLoader loader;
  // What must fit together, at its least.
  const std::map<std::string, std::string> least{{"RTC_PAGE_SIZE_DEFAULT", "1"},
                                                 {"RTC_MESSAGE_BYTES_MAX", "1B"},
                                                 {"RTC_STOMP_HEADER_BYTES_MAX", "1KiB"},
                                                 {"RTC_STOMP_BODY_BYTES_MAX", "2KiB"},
                                                 {"RTC_TRANSACTION_MESSAGES_MAX", "1"}};
  for (const Setting& setting : all_settings()) {
    const auto unit = unit_of(setting);
    if (!unit) continue;
    SCOPED_TRACE(setting.name);
    const std::string value = std::to_string(setting.min + 1) + *unit;
    const std::string name(setting.name);
    loader.write_file(name + " = \"" + value + "\"\n");
    auto others = least;
    others.erase(setting.environment());
    const auto from_file = loader.load({}, others);
    ASSERT_TRUE(from_file) << from_file.error().message;
    EXPECT_EQ(number_in(from_file->config, setting), setting.min + 1);
    loader.write_file("");
    others[setting.environment()] = value;
    const auto from_variable = loader.load({}, others);
    ASSERT_TRUE(from_variable) << from_variable.error().message;
    EXPECT_EQ(number_in(from_variable->config, setting), setting.min + 1);
    const auto from_flag = loader.load({setting.flag(), value}, least);
    ASSERT_TRUE(from_flag) << from_flag.error().message;
    EXPECT_EQ(number_in(from_flag->config, setting), setting.min + 1);
  }
}

TEST(Settings, TheTableShowsEachOnOneLine) {
  const std::string markdown = settings_markdown();
  for (const Setting& setting : all_settings()) {
    EXPECT_THAT(markdown,
                HasSubstr("\n| `" + std::string(setting.name) + "` | `" + setting.environment() +
                          "` | `" + setting.flag() + "` | " + setting.format() + " | "));
  }
  const auto lines = static_cast<std::size_t>(std::count(markdown.begin(), markdown.end(), '\n'));
  EXPECT_EQ(lines, all_settings().size() + 2);
}

}  // namespace
}  // namespace rtc

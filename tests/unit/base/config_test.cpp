#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>

#include "base/load_config.hpp"
#include "unit/base/config_loader.hpp"

namespace rtc {
namespace {

using test::ConfigLoader;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Config, NothingGivenIsTheDefaults) {
  const ConfigLoader loader;
  const auto loaded = loader.load({});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->action, ConfigAction::run);
  EXPECT_THAT(loaded->config.listen, ElementsAre("localhost:8080"));
  EXPECT_EQ(loaded->config.token_lifetime_ms, 86'400'000U);
  EXPECT_EQ(loaded->config.message_bytes_max, 65'536U);
  EXPECT_THAT(loaded->config.trusted_proxies, IsEmpty());
}

TEST(Config, FlagsOverEnvironmentOverFileOverDefaults) {
  ConfigLoader loader;
  loader.write_file("send_rate_max = 1\npage_size_max = 61\nrooms_max = 21\n");
  const std::map<std::string, std::string> environment{{"RTC_SEND_RATE_MAX", "2"},
                                                       {"RTC_PAGE_SIZE_MAX", "62"}};
  const auto loaded = loader.load({"--send-rate-max", "3"}, environment);
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.send_rate_max, 3U);
  EXPECT_EQ(loaded->config.page_size_max, 62U);
  EXPECT_EQ(loaded->config.rooms_max, 21U);
  EXPECT_EQ(loaded->config.send_burst_max, 60U);
}

TEST(Config, TheFlagForTheFileIsStrongerThanTheVariable) {
  ConfigLoader loader;
  loader.write_file("rooms_max = 5\n");
  const auto loaded =
      loader.load({"--config", loader.file()}, {{"RTC_CONFIG", "/there-is-no-such-file.toml"}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.rooms_max, 5U);
}

TEST(Config, AFileThatIsNotThereIsAnErrorThatNamesIt) {
  const ConfigLoader loader;
  EXPECT_THAT(loader.error({"--config", "/there-is-no-such-file.toml"}),
              HasSubstr("/there-is-no-such-file.toml"));
}

TEST(Config, AFileThatCannotBeReadIsNamedWithTheReason) {
  const ConfigLoader loader;
  const auto missing = loader.error({"--config", "/there-is-no-such-file.toml"});
  EXPECT_THAT(missing, HasSubstr("No such file"));
  const std::string directory = std::filesystem::path(loader.file()).parent_path().string();
  const auto message = loader.error({"--config", directory});
  EXPECT_THAT(message, HasSubstr("'" + directory + "'"));
  EXPECT_THAT(message, HasSubstr("it is a directory"));
  EXPECT_THAT(loader.error({"--config", ""}), HasSubstr("No such file"));
}

TEST(Config, ListsAreAnArrayOrCommasOrFlagsAgain) {
  ConfigLoader loader;
  loader.write_file("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n");
  const auto from_file = loader.load({});
  ASSERT_TRUE(from_file) << from_file.error().message;
  EXPECT_THAT(from_file->config.trusted_proxies, ElementsAre("10.0.0.0/8", "::1"));

  const auto from_variable = loader.load({}, {{"RTC_TRUSTED_PROXIES", "10.0.0.1 , ::2,"}});
  ASSERT_TRUE(from_variable) << from_variable.error().message;
  EXPECT_THAT(from_variable->config.trusted_proxies, ElementsAre("10.0.0.1", "::2"));

  const auto from_flags = loader.load({"--trusted-proxies", "10.0.0.2,[::3]", "--trusted-proxies",
                                       "[::4]", "--listen=[::1]:80", "--listen", "a:1"});
  ASSERT_TRUE(from_flags) << from_flags.error().message;
  EXPECT_THAT(from_flags->config.trusted_proxies, ElementsAre("10.0.0.2", "[::3]", "[::4]"));
  EXPECT_THAT(from_flags->config.listen, ElementsAre("[::1]:80", "a:1"));
}

TEST(Config, AnEmptyListReplacesTheDefaultInAllThreeSources) {
  ConfigLoader loader;
  const auto from_variable = loader.load({}, {{"RTC_RATE_EXEMPT", ""}});
  ASSERT_TRUE(from_variable) << from_variable.error().message;
  EXPECT_THAT(from_variable->config.rate_exempt, IsEmpty());
  const auto from_flag = loader.load({"--rate-exempt", ""});
  ASSERT_TRUE(from_flag) << from_flag.error().message;
  EXPECT_THAT(from_flag->config.rate_exempt, IsEmpty());
  loader.write_file("rate_exempt = []\n");
  const auto from_file = loader.load({});
  ASSERT_TRUE(from_file) << from_file.error().message;
  EXPECT_THAT(from_file->config.rate_exempt, IsEmpty());
}

TEST(Config, AnEmptyTextIsAText) {
  const ConfigLoader loader;
  const auto loaded = loader.load({"--token-secret", ""}, {{"RTC_TOKEN_SECRET", "elsewhere"}});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.token_secret, "");
}

TEST(Config, ASingleValueGivenTwiceIsAnError) {
  ConfigLoader loader;
  EXPECT_THAT(loader.error({"--rooms-max", "1", "--rooms-max", "2"}),
              HasSubstr("--rooms-max: given more than once"));
  EXPECT_THAT(loader.error({"--config", loader.file(), "--config", loader.file()}),
              HasSubstr("--config: given more than once"));
  loader.write_file("rooms_max = 1\nrooms_max = 2\n");
  EXPECT_THAT(loader.error({}), HasSubstr(loader.file()));
}

TEST(Config, TheUnknownIsNamedWithItsSource) {
  ConfigLoader loader;
  EXPECT_THAT(loader.error({"--colour", "red"}), HasSubstr("--colour"));
  EXPECT_THAT(loader.error({"stray"}), HasSubstr("stray"));
  const std::string variable = loader.error({}, {{"RTC_COLOUR", "red"}});
  EXPECT_THAT(variable, HasSubstr("RTC_COLOUR"));
  EXPECT_THAT(variable, HasSubstr("environment"));
  loader.write_file("colour = \"red\"\n");
  const std::string key = loader.error({});
  EXPECT_THAT(key, HasSubstr("colour"));
  EXPECT_THAT(key, HasSubstr(loader.file()));
}

TEST(Config, OnlyRtcVariablesAreLookedAt) {
  const ConfigLoader loader;
  EXPECT_EQ(loader.error({}, {{"ROOMS_MAX", "x"}, {"rtc_colour", "x"}, {"RTCCOLOUR", "x"}}), "");
  const auto loaded = loader.load({}, {{"ROOMS_MAX", "7"}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.rooms_max, 10'000U);
}

TEST(Config, TheMalformedIsNamedWithItsSourceAndWhatWasExpected) {
  ConfigLoader loader;
  const std::string flag = loader.error({"--token-lifetime", "soon"});
  EXPECT_THAT(flag, HasSubstr("--token-lifetime"));
  EXPECT_THAT(flag, HasSubstr("duration, 1s to 3650d"));
  EXPECT_THAT(loader.error({"--rooms-max"}), HasSubstr("--rooms-max"));
  EXPECT_THAT(loader.error({}, {{"RTC_LOG_LEVEL", "loud"}}), HasSubstr("RTC_LOG_LEVEL"));
  for (const std::string value : {"true", "1.5", "[1, 2]", "{}", "\"many\"", "-1", "1979-05-27"}) {
    loader.write_file("rooms_max = " + value + "\n");
    const std::string message = loader.error({});
    EXPECT_THAT(message, HasSubstr("rooms_max")) << value;
    EXPECT_THAT(message, HasSubstr(loader.file())) << value;
  }
  loader.write_file("listen = [\"a:1\", true]\n");
  EXPECT_THAT(loader.error({}), HasSubstr("listen"));
  loader.write_file("one = 1\n\nbroken\n");
  EXPECT_THAT(loader.error({}), HasSubstr("line 3"));
}

TEST(Config, AnErrorInAWeakerSourceIsToldAlsoWhenAStrongerOneCoversIt) {
  ConfigLoader loader;
  loader.write_file("rooms_max = \"many\"\n");
  EXPECT_THAT(loader.error({"--rooms-max", "5"}), HasSubstr("rooms_max"));
}

TEST(Config, NumbersInTheFileNeedNoQuotes) {
  ConfigLoader loader;
  loader.write_file("rooms_max = 5\nrooms_per_identity_max = \"6\"\ntoken_lifetime = \"2h\"\n");
  const auto loaded = loader.load({});
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded->config.rooms_max, 5U);
  EXPECT_EQ(loaded->config.rooms_per_identity_max, 6U);
  EXPECT_EQ(loaded->config.token_lifetime_ms, 7'200'000U);
}

TEST(Config, ActionsComeBeforeWhatIsWrongElsewhere) {
  ConfigLoader loader;
  loader.write_file("broken");
  for (const auto& [flag, action] : {std::pair{"--help", ConfigAction::print_help},
                                     {"-h", ConfigAction::print_help},
                                     {"--version", ConfigAction::print_version},
                                     {"--print-settings", ConfigAction::print_settings}}) {
    const auto loaded = loader.load({flag});
    ASSERT_TRUE(loaded) << flag << ": " << loaded.error().message;
    EXPECT_EQ(loaded->action, action) << flag;
  }
  const auto loaded = loader.load({"--help"});
  for (const char* word : {"--listen", "RTC_LISTEN", "--shutdown-timeout", "--config"}) {
    EXPECT_THAT(loaded->help, HasSubstr(word));
  }
}

TEST(Config, BansAreCommands) {
  const ConfigLoader loader;
  const auto ban =
      loader.load({"--ban", "user:x", "--ban-for", "2d", "--ban-reason", "spam, twice"});
  ASSERT_TRUE(ban) << ban.error().message;
  EXPECT_EQ(ban->action, ConfigAction::ban);
  EXPECT_EQ(ban->ban.target, "user:x");
  EXPECT_EQ(ban->ban.for_ms, 172'800'000U);
  EXPECT_EQ(ban->ban.reason, "spam, twice");
  EXPECT_EQ(ban->config.bans_max, 10'000U) << "it needs the settings";
  EXPECT_EQ(loader.load({"--ban", "address:::1"})->ban.for_ms, 0U);
  const auto unban = loader.load({"--unban", "address:10.0.0.0/8"});
  EXPECT_EQ(unban->action, ConfigAction::unban);
  EXPECT_EQ(unban->ban.target, "address:10.0.0.0/8");
  EXPECT_EQ(loader.load({"--bans"})->action, ConfigAction::list_bans);
}

TEST(Config, CommandsOnBansThatMakeNoSenseAreRefused) {
  const ConfigLoader loader;
  for (const std::string length : {"1", "d", "0d", "-1d", "1 day", "9999d", ""}) {
    EXPECT_THAT(loader.error({"--ban", "user:x", "--ban-for", length}), HasSubstr("--ban-for"));
  }
  EXPECT_THAT(loader.error({"--ban", "a", "--ban", "b"}), HasSubstr("--ban: given more than once"));
  EXPECT_THAT(loader.error({"--ban", "a", "--unban", "b"}), HasSubstr("one command at a time"));
  EXPECT_THAT(loader.error({"--bans", "--unban", "b"}), HasSubstr("one command at a time"));
  EXPECT_THAT(loader.error({"--ban", "a", "--copy-store"}), HasSubstr("one command at a time"));
  EXPECT_THAT(loader.error({"--ban-for", "1d"}), HasSubstr("belong to --ban"));
  EXPECT_THAT(loader.error({"--unban", "a", "--ban-reason", "b"}), HasSubstr("belong to --ban"));
}

TEST(Config, TheDocumentIsTheTable) {
  const std::ifstream file(RTC_SOURCE_DIR "/docs/settings.md");
  ASSERT_TRUE(file) << "docs/settings.md is missing";
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_TRUE(text.str().ends_with("\n" + settings_markdown()))
      << "put the output of `realtimechat --print-settings` below the heading of docs/settings.md";
}

}  // namespace
}  // namespace rtc

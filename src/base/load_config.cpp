#include "base/load_config.hpp"

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <toml++/toml.h>

#include "base/settings.hpp"

namespace rtc {
namespace {

constexpr std::string_view kDefaultFile = "realtimechat.toml";
constexpr std::string_view kGivenTwice = "given more than once";

Error named(std::string_view source, std::string_view setting, std::string_view problem) {
  return {ErrorCode::invalid_parameter,
          fmt::format("{}: {}: {}; see --help for all settings", source, setting, problem)};
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return parts;
}

Result<void> assign_text(const Setting& setting, Config& config, std::string_view text) {
  const bool list = std::holds_alternative<Setting::List>(setting.target);
  return setting.assign(config, list ? split_list(text) : std::vector{std::string(text)});
}

const Setting* find_setting(std::string_view name) {
  for (const Setting& setting : all_settings()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

// A TOML value as the texts that Setting::assign takes; nullopt for what no setting can be.
std::optional<std::vector<std::string>> toml_values(const toml::node& node) {
  const auto scalar = [](const toml::node& value) -> std::optional<std::string> {
    if (const auto* text = value.as_string()) return text->get();
    if (const auto* number = value.as_integer()) return std::to_string(number->get());
    return std::nullopt;
  };
  if (const auto* array = node.as_array()) {
    std::vector<std::string> values;
    for (const auto& element : *array) {
      auto value = scalar(element);
      if (!value) return std::nullopt;
      values.push_back(std::move(*value));
    }
    return values;
  }
  if (const auto* flag = node.as_boolean()) {
    return std::vector<std::string>{flag->get() ? "true" : "false"};
  }
  auto value = scalar(node);
  if (!value) return std::nullopt;
  return std::vector{std::move(*value)};
}

Result<std::string> read_file(const std::string& path) {
  const auto unreadable = [&](std::string_view why) {
    return Error{ErrorCode::invalid_parameter,
                 fmt::format("the file of settings '{}' cannot be read: {}", path, why)};
  };
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) return unreadable("it is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(std::strerror(errno));
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (file.bad()) return unreadable(std::strerror(errno));
  return text;
}

Result<void> apply_file(const std::string& path, Config& config) {
  const auto text = read_file(path);
  if (!text) return text.error();
  toml::table table;
  try {
    table = toml::parse(*text, path);
  } catch (const toml::parse_error& problem) {
    return Error{
        ErrorCode::invalid_parameter,
        fmt::format("{}: line {}: {}", path, problem.source().begin.line, problem.description())};
  }
  for (const auto& [key, node] : table) {
    const Setting* setting = find_setting(key.str());
    if (setting == nullptr) return named(path, key.str(), "unknown setting");
    const auto values = toml_values(node);
    const auto assigned =
        values ? setting->assign(config, *values)
               : Result<void>{ErrorCode::invalid_parameter, "expected " + setting->format()};
    if (!assigned) return named(path, key.str(), assigned.error().message);
  }
  return {};
}

Result<void> apply_environment(char* const* environment, Config& config) {
  for (char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    const auto equals = line.find('=');
    if (!line.starts_with("RTC_") || equals == std::string_view::npos) continue;
    const std::string_view variable = line.substr(0, equals);
    if (variable == "RTC_CONFIG") continue;
    const Setting* match = nullptr;
    for (const Setting& setting : all_settings()) {
      if (setting.environment() == variable) match = &setting;
    }
    if (match == nullptr) return named("environment", variable, "unknown setting");
    const auto assigned = assign_text(*match, config, line.substr(equals + 1));
    if (!assigned) return named("environment", variable, assigned.error().message);
  }
  return {};
}

std::optional<std::string> environment_value(char* const* environment, std::string_view name) {
  for (char* const* entry = environment; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view line = *entry;
    if (line.starts_with(name) && line.substr(name.size()).starts_with('=')) {
      return std::string(line.substr(name.size() + 1));
    }
  }
  return std::nullopt;
}

struct CommandLine {
  ConfigAction action = ConfigAction::run;
  std::string help;
  BanRequest ban;
  std::optional<std::string> file;
  std::map<std::string_view, std::vector<std::string>> values;  // by setting name
};

// The flags of the commands on bans, with what was given to each.
struct BanFlags {
  std::vector<std::string> ban;
  std::vector<std::string> length;
  std::vector<std::string> reason;
  std::vector<std::string> unban;
  bool list = false;
};

// Which command they are, if any; the line's action and request.
Result<void> apply(const BanFlags& flags, CommandLine& line) {
  for (const auto& [flag, values] : {std::pair{"--ban", &flags.ban},
                                     {"--ban-for", &flags.length},
                                     {"--ban-reason", &flags.reason},
                                     {"--unban", &flags.unban}}) {
    if (values->size() > 1) return named("command line", flag, kGivenTwice);
  }
  const std::size_t commands = flags.ban.size() + flags.unban.size() + (flags.list ? 1 : 0);
  if (commands > 1 || (commands == 1 && line.action != ConfigAction::run)) {
    return named("command line", "--ban, --unban, --bans", "one command at a time");
  }
  if (flags.ban.empty() && !(flags.length.empty() && flags.reason.empty())) {
    return named("command line", "--ban-for, --ban-reason", "belong to --ban");
  }
  if (flags.list) line.action = ConfigAction::list_bans;
  if (!flags.unban.empty()) {
    line.action = ConfigAction::unban;
    line.ban.target = flags.unban.front();
  }
  if (flags.ban.empty()) return {};
  line.action = ConfigAction::ban;
  line.ban.target = flags.ban.front();
  if (!flags.reason.empty()) line.ban.reason = flags.reason.front();
  if (flags.length.empty()) return {};
  const auto length = parse_duration(flags.length.front());
  if (!length) return named("command line", "--ban-for", length.error().message);
  constexpr std::uint64_t kMostMs = 3650ULL * 24 * 60 * 60 * 1000;
  if (*length == 0 || *length > kMostMs) {
    return named("command line", "--ban-for", "expected 1ms to 3650d; without it: for ever");
  }
  line.ban.for_ms = *length;
  return {};
}

Result<CommandLine> parse_command_line(std::span<char* const> arguments) {
  CommandLine line;
  CLI::App app{"RealTimeChat: a self-hosted real-time anonymous chat.", "realtimechat"};
  app.set_help_flag();
  bool help = false;
  bool version = false;
  bool settings = false;
  app.add_flag("-h,--help", help, "Print this and exit.");
  app.add_flag("--version", version, "Print the version and exit.");
  app.add_flag("--print-settings", settings, "Print the table of settings (Markdown) and exit.");
  bool copy = false;
  app.add_flag(
      "--copy-store", copy,
      "Copy the SQLite file of data_dir into the database of postgres_url, compare the two "
      "and exit. Again: what is new.");
  std::vector<std::string> files;
  const auto one_value_each_time = [](CLI::Option* option) {
    option->type_size(1)->expected(1, 1)->type_name("");
    // Given again, a list grows; for any other setting that is an error, told by load_config().
    option->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
  };
  one_value_each_time(
      app.add_option("--config", files,
                     "File of settings (TOML); without it realtimechat.toml, where there is one. "
                     "[RTC_CONFIG]"));
  BanFlags bans;
  one_value_each_time(app.add_option(
      "--ban", bans.ban,
      "Ban user:ID (a senderId; revokes its tokens), or address:IP or address:NETWORK, on all "
      "nodes of the database, while they run, and exit. Again: in the place of the ban before."));
  one_value_each_time(
      app.add_option("--ban-for", bans.length, "How long, such as 1d; without it: for ever."));
  one_value_each_time(app.add_option("--ban-reason", bans.reason,
                                     "What the banned person is told, at most 200 bytes."));
  one_value_each_time(app.add_option("--unban", bans.unban, "End such a ban and exit."));
  app.add_flag("--bans", bans.list, "List the bans that hold and exit.");
  for (const Setting& setting : all_settings()) {
    one_value_each_time(app.add_option(
        setting.flag(), line.values[setting.name],
        fmt::format("{} ({}) [{}] default: {}", setting.meaning, setting.format(),
                    setting.environment(), setting.fallback.empty() ? "none" : setting.fallback)));
  }
  try {
    app.parse(static_cast<int>(arguments.size()), arguments.data());
  } catch (const CLI::ParseError& problem) {
    return Error{ErrorCode::invalid_parameter,
                 fmt::format("command line: {}; see --help for all settings", problem.what())};
  }
  if (files.size() > 1) return named("command line", "--config", kGivenTwice);
  if (!files.empty()) line.file = files.front();
  if (copy) line.action = ConfigAction::copy_store;
  if (const auto applied = apply(bans, line); !applied) return applied.error();
  if (settings) line.action = ConfigAction::print_settings;
  if (version) line.action = ConfigAction::print_version;
  if (help) {
    line.action = ConfigAction::print_help;
    line.help = app.help();
  }
  return line;
}

}  // namespace

Result<LoadedConfig> load_config(std::span<char* const> arguments, char* const* environment) {
  LoadedConfig loaded;
  for (const Setting& setting : all_settings()) {
    const auto assigned = assign_text(setting, loaded.config, setting.fallback);
    if (!assigned) return named("default", setting.name, assigned.error().message);
  }
  auto line = parse_command_line(arguments);
  if (!line) return line.error();
  loaded.action = line->action;
  loaded.help = std::move(line->help);
  loaded.ban = std::move(line->ban);
  const bool only_prints = loaded.action == ConfigAction::print_help ||
                           loaded.action == ConfigAction::print_version ||
                           loaded.action == ConfigAction::print_settings;
  if (only_prints) return loaded;

  auto file = line->file ? line->file : environment_value(environment, "RTC_CONFIG");
  std::error_code ignored;
  if (!file && std::filesystem::exists(kDefaultFile, ignored)) file = std::string(kDefaultFile);
  if (file) {
    if (const auto applied = apply_file(*file, loaded.config); !applied) return applied.error();
  }
  if (const auto applied = apply_environment(environment, loaded.config); !applied) {
    return applied.error();
  }
  for (const Setting& setting : all_settings()) {
    const auto& values = line->values[setting.name];
    if (values.empty()) continue;
    Result<void> assigned;
    if (std::holds_alternative<Setting::List>(setting.target)) {
      std::vector<std::string> all;
      for (const std::string& value : values) {
        for (auto& part : split_list(value)) all.push_back(std::move(part));
      }
      assigned = setting.assign(loaded.config, all);
    } else if (values.size() > 1) {
      return named("command line", setting.flag(), kGivenTwice);
    } else {
      assigned = setting.assign(loaded.config, values);
    }
    if (!assigned) return named("command line", setting.flag(), assigned.error().message);
  }
  if (const auto valid = validate(loaded.config); !valid) return valid.error();
  return loaded;
}

std::string settings_markdown() {
  std::string text =
      "| setting (file) | environment | flag | value | default | meaning |\n"
      "| --- | --- | --- | --- | --- | --- |\n";
  for (const Setting& setting : all_settings()) {
    text += fmt::format("| `{}` | `{}` | `{}` | {} | {} | {} |\n", setting.name,
                        setting.environment(), setting.flag(), setting.format(),
                        setting.fallback.empty() ? "none" : fmt::format("`{}`", setting.fallback),
                        setting.meaning);
  }
  return text;
}

}  // namespace rtc

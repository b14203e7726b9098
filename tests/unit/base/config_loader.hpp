// What the tests of settings share: load_config() over texts, with a file and an environment of
// their own.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "base/load_config.hpp"

namespace rtc::test {

class ConfigLoader {
 public:
  ConfigLoader() {
    std::string pattern = (std::filesystem::temp_directory_path() / "rtc-config-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) std::abort();
    directory_ = pattern;
    write_file("");
  }
  ConfigLoader(const ConfigLoader&) = delete;
  ConfigLoader& operator=(const ConfigLoader&) = delete;
  ~ConfigLoader() { std::filesystem::remove_all(directory_); }

  void write_file(const std::string& text) { std::ofstream(file()) << text; }
  std::string file() const { return (directory_ / "test.toml").string(); }

  // Flags, and variables besides RTC_CONFIG, which names the file.
  Result<LoadedConfig> load(std::vector<std::string> flags,
                            std::map<std::string, std::string> variables = {}) const {
    variables.try_emplace("RTC_CONFIG", file());
    std::vector<std::string> entries;
    for (const auto& [name, value] : variables) {
      entries.push_back(name);
      entries.back().append("=").append(value);
    }
    std::vector<char*> environment;
    for (std::string& entry : entries) environment.push_back(entry.data());
    environment.push_back(nullptr);
    flags.insert(flags.begin(), "realtimechat");
    std::vector<char*> arguments;
    for (std::string& flag : flags) arguments.push_back(flag.data());
    return load_config(arguments, environment.data());
  }

  // The message of the error; "" when there is none.
  std::string error(std::vector<std::string> flags,
                    std::map<std::string, std::string> variables = {}) const {
    const auto loaded = load(std::move(flags), std::move(variables));
    return loaded ? "" : loaded.error().message;
  }

 private:
  std::filesystem::path directory_;
};

}  // namespace rtc::test

// The folders of src/ are a one-way street: which may include which, and how long a file may be.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace rtc {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kHeaderLinesMax = 150;
constexpr std::size_t kSourceLinesMax = 400;

// What a folder may include besides its own files. A folder that is not here is an error.
const std::map<std::string, std::set<std::string>>& allowed() {
  static const std::map<std::string, std::set<std::string>> table{
      {"base", {}},
      {"websocket", {"base"}},
      {"stomp", {"base"}},
      {"sockjs", {"base"}},
      {"http", {"base"}},
      {"net", {"base"}},
      {"chat", {"base"}},
      {"storage", {"chat", "base"}},
      {"relay", {"chat", "base"}},
      {"auth", {"chat", "base"}},
      {"server", {"chat", "websocket", "stomp", "sockjs", "http", "net", "base"}},
  };
  return table;
}

struct SourceFile {
  std::string path;                // relative to src/
  std::vector<std::string> lines;  // without their ends
};

std::vector<SourceFile> source_files() {
  const fs::path root = fs::path(RTC_SOURCE_DIR) / "src";
  std::vector<SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    const fs::path extension = entry.path().extension();
    if (extension != ".cpp" && extension != ".hpp") continue;
    SourceFile file{fs::relative(entry.path(), root).generic_string(), {}};
    std::ifstream in(entry.path());
    for (std::string line; std::getline(in, line);) file.lines.push_back(line);
    files.push_back(std::move(file));
  }
  return files;
}

// Of `#include "net/loop.hpp"`: net/loop.hpp; "" for any other line.
std::string included(const std::string& line) {
  const auto hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line[hash] != '#') return "";
  const auto open = line.find('"');
  if (line.find("include") == std::string::npos || open == std::string::npos) return "";
  return line.substr(open + 1, line.find('"', open + 1) - open - 1);
}

// Why the file `from` must not include `what`; "" when it may.
std::string objection(const std::string& from, const std::string& what) {
  const auto slash = what.find('/');
  if (slash == std::string::npos) return "includes name their folder";
  if (what.find("..") != std::string::npos) return "includes begin at src/";
  if (from == "main.cpp") return "";
  const std::string folder = from.substr(0, from.find('/'));
  const std::string target = what.substr(0, slash);
  const auto row = allowed().find(folder);
  if (row == allowed().end()) return "the folder is not in the table";
  if (target == folder || row->second.contains(target)) return "";
  return folder + " must not know " + target;
}

TEST(Folders, IncludeOnlyWhatTheTableAllows) {
  const auto files = source_files();
  ASSERT_GT(files.size(), 50U) << "src/ was not found";
  for (const SourceFile& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string what = included(file.lines[i]);
      if (what.empty()) continue;
      EXPECT_EQ(objection(file.path, what), "")
          << "src/" << file.path << ":" << i + 1 << " includes " << what;
      EXPECT_TRUE(fs::exists(fs::path(RTC_SOURCE_DIR) / "src" / what))
          << "src/" << file.path << ":" << i + 1 << ": there is no " << what;
    }
  }
}

TEST(Folders, AreAllInTheTable) {
  std::set<std::string> folders;
  for (const SourceFile& file : source_files()) {
    if (file.path == "main.cpp") continue;
    EXPECT_NE(file.path.find('/'), std::string::npos)
        << "src/" << file.path << ": only main.cpp lies in src/ itself";
    folders.insert(file.path.substr(0, file.path.find('/')));
  }
  for (const std::string& folder : folders) {
    EXPECT_TRUE(allowed().contains(folder)) << "src/" << folder << " is not in the table";
  }
  for (const auto& [folder, ignored] : allowed()) {
    EXPECT_TRUE(folders.contains(folder)) << "the table knows src/" << folder << ", src/ does not";
  }
}

// The check itself: it would be of no use if it let everything pass.
TEST(Folders, TheCheckObjects) {
  EXPECT_EQ(included("#include \"net/loop.hpp\""), "net/loop.hpp");
  EXPECT_EQ(included("#  include \"net/loop.hpp\"  // why"), "net/loop.hpp");
  EXPECT_EQ(included("#include <vector>"), "");
  EXPECT_EQ(included("const char* a = \"net/loop.hpp\";"), "");

  EXPECT_EQ(objection("net/loop.cpp", "base/result.hpp"), "");
  EXPECT_EQ(objection("net/loop.cpp", "net/loop.hpp"), "");
  EXPECT_EQ(objection("main.cpp", "storage/sqlite_store.hpp"), "");
  EXPECT_NE(objection("base/log.cpp", "net/loop.hpp"), "");
  EXPECT_NE(objection("chat/rules.cpp", "storage/sqlite_store.hpp"), "");
  EXPECT_NE(objection("server/api.cpp", "auth/nickname.hpp"), "");
  EXPECT_NE(objection("relay/local_relay.hpp", "storage/sqlite_store.hpp"), "");
  EXPECT_NE(objection("newcomer/a.cpp", "base/result.hpp"), "");
  EXPECT_NE(objection("net/loop.cpp", "loop.hpp"), "");
  EXPECT_NE(objection("net/loop.cpp", "net/../server/api.hpp"), "");
}

TEST(Folders, FilesAreShortEnoughToRead) {
  for (const SourceFile& file : source_files()) {
    const std::size_t most = file.path.ends_with(".hpp") ? kHeaderLinesMax : kSourceLinesMax;
    EXPECT_LE(file.lines.size(), most) << "src/" << file.path << " is too long";
  }
}

}  // namespace
}  // namespace rtc

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <set>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "auth/jwt_token_authority.hpp"

namespace rtc::auth {
namespace {

class SecretFile : public testing::Test {
 protected:
  SecretFile() {
    std::string pattern = testing::TempDir() + "rtc-secret-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    file_ = directory_ / "token.secret";
  }
  ~SecretFile() override { std::filesystem::remove_all(directory_); }

  void write(std::string_view text, mode_t mode = 0600) const {
    std::ofstream(file_) << text;
    ASSERT_EQ(::chmod(file_.c_str(), mode), 0);
  }
  std::string content() const {
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  std::size_t files_in_directory() const {
    const std::filesystem::directory_iterator all(directory_);
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
  }

  std::filesystem::path directory_;
  std::filesystem::path file_;
};

TEST_F(SecretFile, IsMadeOnceFor48RandomBytes) {
  const auto first = load_or_create_secret(file_);
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_EQ(first->size(), 64U);
  EXPECT_EQ(first->find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789+/"),
            std::string::npos);
  EXPECT_EQ(content(), *first + "\n");
  EXPECT_EQ(files_in_directory(), 1U);
  EXPECT_EQ(load_or_create_secret(file_).value(), *first);

  std::filesystem::remove(file_);
  EXPECT_NE(load_or_create_secret(file_).value(), *first);
}

TEST_F(SecretFile, BelongsToItsOwnerOnlyWhateverTheUmask) {
  const auto before = ::umask(0);
  const auto made = load_or_create_secret(file_);
  ::umask(before);
  ASSERT_TRUE(made);
  struct stat status {};
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(SecretFile, IsMadeWithItsDirectory) {
  const auto nested = directory_ / "a" / "b" / "token.secret";
  ASSERT_TRUE(load_or_create_secret(nested));
  EXPECT_TRUE(std::filesystem::exists(nested));
}

TEST_F(SecretFile, IsRefusedWhenOthersCanUseIt) {
  for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0666U, 0644U}) {
    write(std::string(64, 'k'), mode);
    const auto secret = load_or_create_secret(file_);
    ASSERT_FALSE(secret) << mode;
    EXPECT_NE(secret.error().message.find("chmod 600 '" + file_.string() + "'"), std::string::npos)
        << secret.error().message;
  }
  write(std::string(64, 'k'), 0400);
  EXPECT_TRUE(load_or_create_secret(file_));
}

TEST_F(SecretFile, IsRefusedWhenTooShortOrTooLong) {
  for (const auto& text : {std::string(), std::string("\n"), std::string(31, 'k') + "\n"}) {
    write(text);
    const auto secret = load_or_create_secret(file_);
    ASSERT_FALSE(secret);
    EXPECT_NE(secret.error().message.find("shorter than 32"), std::string::npos);
    EXPECT_EQ(content(), text) << "a file that is refused is left alone";
  }
  write(std::string(4'097, 'k'));
  EXPECT_FALSE(load_or_create_secret(file_));
  write(std::string(4'096, 'k'));
  EXPECT_TRUE(load_or_create_secret(file_));
}

TEST_F(SecretFile, MayBeWrittenByHand) {
  write("correct horse battery staple, and more\r\n");
  EXPECT_EQ(load_or_create_secret(file_).value(), "correct horse battery staple, and more");
}

TEST_F(SecretFile, ThatIsADirectoryIsRefused) {
  std::filesystem::create_directory(file_);
  EXPECT_FALSE(load_or_create_secret(file_));
  EXPECT_FALSE(load_or_create_secret(file_ / "x" / ".." / ".." / "token.secret"));
}

TEST_F(SecretFile, IsTheSameForThreadsThatStartAtOnce) {
  for (int round = 0; round < 20; ++round) {
    std::filesystem::remove(file_);
    std::vector<std::string> secrets(4);
    std::vector<std::thread> threads;
    for (auto& secret : secrets) {
      threads.emplace_back([&, this] { secret = load_or_create_secret(file_).value(); });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(std::set<std::string>(secrets.begin(), secrets.end()).size(), 1U);
    EXPECT_EQ(files_in_directory(), 1U);
  }
}

TEST_F(SecretFile, IsTheSameForProcessesThatStartAtOnce) {
  std::vector<int> outputs;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    int ends[2] = {-1, -1};
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      const auto secret = load_or_create_secret(file_);
      const bool sent = secret && ::write(ends[1], secret->data(), secret->size()) == ssize_t{64};
      ::_exit(sent ? 0 : 1);
    }
    ::close(ends[1]);
    outputs.push_back(ends[0]);
    children.push_back(child);
  }
  std::set<std::string> secrets;
  for (const int output : outputs) {
    std::string secret(64, '\0');
    EXPECT_EQ(::read(output, secret.data(), secret.size()), 64);
    ::close(output);
    secrets.insert(secret);
  }
  for (const pid_t child : children) {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(secrets.size(), 1U);
  EXPECT_EQ(files_in_directory(), 1U);
}

}  // namespace
}  // namespace rtc::auth

// The token secret's file: made once, durable before it is used, readable by its owner only.
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "auth/jwt_token_authority.hpp"
#include "base/random.hpp"
#include "base/uuid.hpp"

namespace rtc::auth {
namespace {

constexpr std::size_t kSecretSizeMin = 32;
constexpr std::size_t kSecretSizeMax = 4096;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Error system_failure(std::string_view what, const std::filesystem::path& file, int number) {
  return {ErrorCode::internal_server_error,
          fmt::format("cannot {} {}: {}", what, file.string(),
                      std::error_code(number, std::generic_category()).message())};
}

std::string random_secret() {
  std::array<std::uint8_t, 48> bytes{};
  fill_random(bytes);
  std::array<unsigned char, 65> text{};  // 48 bytes are 64 characters; and OpenSSL's NUL
  EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
  return {text.begin(), text.end() - 1};
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool sync_directory(const std::filesystem::path& directory) {
  const Descriptor opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return opened.ok() && ::fsync(opened.get()) == 0;
}

// Makes `file` with a new secret unless there is one: it appears whole or not at all, and of two
// processes that start at once the first one's stays.
Result<void> make_secret(const std::filesystem::path& file) {
  const std::filesystem::path draft = file.string() + "." + Uuid::random().to_string() + ".new";
  const Descriptor opened(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!opened.ok()) return system_failure("make", draft, errno);
  const bool written =
      write_all(opened.get(), random_secret() + "\n") && ::fsync(opened.get()) == 0;
  const int write_error = errno;
  // link, not rename: it fails when the name is taken.
  const bool linked = written && ::link(draft.c_str(), file.c_str()) == 0;
  const int link_error = errno;
  ::unlink(draft.c_str());
  if (!written) return system_failure("write", draft, write_error);
  if (!linked && link_error != EEXIST) return system_failure("make", file, link_error);
  return {};
}

Result<std::string> read_secret(const std::filesystem::path& file) {
  const Descriptor opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened.ok()) return system_failure("read", file, errno);
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0) return system_failure("read", file, errno);
  const auto refused = [&](std::string_view reason) {
    return Error{ErrorCode::internal_server_error,
                 fmt::format("the token secret {} {}", file.string(), reason)};
  };
  if (!S_ISREG(status.st_mode)) return refused("is not a file");
  if ((status.st_mode & 077U) != 0) {
    return refused(
        fmt::format("is open to other users of this machine; run: chmod 600 '{}'", file.string()));
  }
  std::string secret(kSecretSizeMax + 1, '\0');
  std::size_t size = 0;
  while (size < secret.size()) {
    const ssize_t got = ::read(opened.get(), secret.data() + size, secret.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_failure("read", file, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > kSecretSizeMax) return refused("is longer than 4096 bytes");
  secret.resize(size);
  // Editors and `echo` end a file with a line end that nobody means.
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.size() < kSecretSizeMin) {
    return refused(
        "is shorter than 32 bytes; delete it to have a new one made (all users then get "
        "a new identity)");
  }
  return secret;
}

}  // namespace

Result<std::string> load_or_create_secret(const std::filesystem::path& file) {
  const auto directory = std::filesystem::absolute(file).parent_path();
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return system_failure("make", directory, failed.value());
  if (!std::filesystem::exists(file, failed)) {
    if (auto made = make_secret(file); !made) return made.error();
  }
  // Whoever made it: the name must be on the disk before a token of this secret leaves.
  if (!sync_directory(directory)) return system_failure("sync", directory, errno);
  return read_secret(file);
}

}  // namespace rtc::auth

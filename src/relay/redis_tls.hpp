// The client's end of TLS (1.2 or later) over a connected socket that never waits, by OpenSSL. The
// server must show a certificate for the name or address that was asked for, signed by somebody
// trusted. One thread; SIGPIPE must be ignored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct ssl_st;

namespace rtc::relay {

// PEM; read for each connection, so that renewed ones need no restart.
struct RedisTlsFiles {
  std::string ca;           // who may sign the server's certificate; "": the system's trust store
  std::string certificate;  // what this node shows when it is asked for one; "": nothing
  std::string key;          // of it, without a passphrase
};

class RedisTls {
 public:
  // Whether the files can be used. The error names the setting.
  static Result<void> check(const RedisTlsFiles& files);
  // `fd` stays the caller's, and open for as long as this lives.
  static Result<std::unique_ptr<RedisTls>> begin(const RedisTlsFiles& files,
                                                 const std::string& host, int fd);

  // What the handshake waits for: the socket can be read, or written to.
  enum class Progress { done, read, write, failed };
  Progress handshake();

  // How many bytes; 0: none now. Nothing: the connection is gone, and error() says why. Reads
  // whole records, so whatever is left is in the kernel, where poll() sees it.
  static constexpr std::size_t kRecordBytes = 16 << 10;  // `into` must hold one
  std::optional<std::size_t> read(std::span<char> into);
  std::optional<std::size_t> write(std::string_view bytes);

  // In words for the log, with what to do where that is known.
  const std::string& error() const { return error_; }

 private:
  struct Free {
    void operator()(ssl_st* ssl) const;
  };
  using Session = std::unique_ptr<ssl_st, Free>;

  RedisTls(Session session, std::string host);
  bool waits(int result);  // else error_ says why not

  const Session session_;
  const std::string host_;
  bool ended_ = false;  // what was read before that is given first
  std::string error_;
};

}  // namespace rtc::relay

#include "relay/redis_tls.hpp"

#include <arpa/inet.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <utility>

namespace rtc::relay {
namespace {

constexpr std::string_view kClosed = "the connection was closed";

struct FreeContext {
  void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// The oldest error of the thread's queue, which is emptied.
std::string take_reason() {
  const unsigned long code = ::ERR_peek_error();
  ::ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::strerror(ERR_GET_REASON(code));
  const char* const text = ::ERR_reason_error_string(code);
  return text == nullptr ? "unknown problem" : text;
}

Error unusable(std::string_view setting, const std::string& file) {
  return {ErrorCode::invalid_parameter, fmt::format("{}: {}: {}", setting, file, take_reason())};
}

Result<Context> context_of(const RedisTlsFiles& files) {
  ::ERR_clear_error();
  Context context(::SSL_CTX_new(::TLS_client_method()));
  if (context == nullptr) return Error{ErrorCode::internal_server_error, "TLS: " + take_reason()};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION);
  // What goes again after the socket was full is the same bytes, in a buffer that may have moved.
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  // A key with a passphrase is refused; otherwise OpenSSL asks on the terminal and waits.
  ::SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return -1; });
  if (files.ca.empty()) {
    ::SSL_CTX_set_default_verify_paths(context.get());
  } else if (::SSL_CTX_load_verify_file(context.get(), files.ca.c_str()) != 1) {
    return unusable("redis_ca_file", files.ca);
  }
  if (files.certificate.empty()) return context;
  if (::SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1) {
    return unusable("redis_certificate_file", files.certificate);
  }
  if (::SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(context.get()) != 1) {
    return unusable("redis_key_file", files.key);
  }
  return context;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// Why the server's certificate was not taken.
std::string distrust(long verdict, const std::string& host) {
  const std::string_view why = ::X509_verify_cert_error_string(verdict);
  switch (verdict) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return fmt::format(
          "its certificate is not for {} ({}): name Redis in redis_url as its certificate does, or "
          "have that name (a subjectAltName) put into it",
          host, why);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return fmt::format("its certificate: {}: renew it, or set the clock", why);
    default:
      return fmt::format(
          "its certificate is not trusted ({}): redis_ca_file must hold the certificate of who "
          "signed it",
          why);
  }
}

}  // namespace

void RedisTls::Free::operator()(ssl_st* ssl) const {
  ::SSL_free(ssl);
}

RedisTls::RedisTls(Session session, std::string host)
    : session_(std::move(session)), host_(std::move(host)) {}

Result<void> RedisTls::check(const RedisTlsFiles& files) {
  const auto context = context_of(files);
  if (!context) return context.error();
  return {};
}

Result<std::unique_ptr<RedisTls>> RedisTls::begin(const RedisTlsFiles& files,
                                                  const std::string& host, int fd) {
  const auto context = context_of(files);
  if (!context) return context.error();
  Session session(::SSL_new(context->get()));  // which keeps the context
  bool whole = session != nullptr && ::SSL_set_fd(session.get(), fd) == 1;
  if (whole && is_address(host)) {
    whole = ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(session.get()), host.c_str()) == 1;
  } else if (whole) {
    whole = ::SSL_set1_host(session.get(), host.c_str()) == 1 &&
            SSL_set_tlsext_host_name(session.get(), host.c_str()) == 1;
  }
  if (!whole) return Error{ErrorCode::internal_server_error, "TLS: " + take_reason()};
  ::SSL_set_connect_state(session.get());
  return std::unique_ptr<RedisTls>(new RedisTls(std::move(session), host));
}

RedisTls::Progress RedisTls::handshake() {
  ::ERR_clear_error();
  const int result = ::SSL_do_handshake(session_.get());
  if (result == 1) return Progress::done;
  if (!waits(result)) return Progress::failed;
  return SSL_want_write(session_.get()) ? Progress::write : Progress::read;
}

std::optional<std::size_t> RedisTls::read(std::span<char> into) {
  std::size_t size = 0;
  while (!ended_ && into.size() - size >= kRecordBytes) {
    ::ERR_clear_error();
    std::size_t more = 0;
    const int result = ::SSL_read_ex(session_.get(), into.data() + size, into.size() - size, &more);
    if (result != 1) {
      ended_ = !waits(result);
      break;
    }
    size += more;
  }
  if (ended_ && size == 0) return std::nullopt;
  return size;
}

std::optional<std::size_t> RedisTls::write(std::string_view bytes) {
  ::ERR_clear_error();
  std::size_t size = 0;
  const int result = ::SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &size);
  if (result == 1) return size;
  if (waits(result)) return 0;
  // Why the other side ended it says more than that it did.
  ::ERR_clear_error();
  char byte = 0;
  const int last = ::SSL_read_ex(session_.get(), &byte, 1, &size);
  if (last != 1) waits(last);
  return std::nullopt;
}

bool RedisTls::waits(int result) {
  const int problem = errno;  // before anything changes it
  const int kind = ::SSL_get_error(session_.get(), result);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return true;
  const int reason = ERR_GET_REASON(::ERR_peek_error());
  if (kind == SSL_ERROR_ZERO_RETURN) {
    error_ = kClosed;
  } else if (kind == SSL_ERROR_SYSCALL) {
    error_ = problem == 0 ? std::string(kClosed) : std::strerror(problem);
  } else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
    error_ = kClosed;
  } else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    error_ = distrust(::SSL_get_verify_result(session_.get()), host_);
  } else if (reason == SSL_R_WRONG_VERSION_NUMBER) {
    error_ = "speaks no TLS on this port: give Redis' tls-port in redis_url, or begin it redis://";
  } else if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED) {
    error_ =
        "asks for a certificate of this node: set redis_certificate_file and redis_key_file, or "
        "tls-auth-clients no in Redis";
  } else {
    error_ = "TLS: " + take_reason();
  }
  ::ERR_clear_error();
  return false;
}

}  // namespace rtc::relay

// A CA, and a key with a certificate by it, of a test's own; made by the openssl command.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>

#include "relay/redis_tls.hpp"

namespace rtc::relay::test {

class Certificates {
 public:
  // Whom the certificate is for, as a subjectAltName.
  explicit Certificates(const std::string& names = "IP:127.0.0.1,DNS:localhost") {
    char name[] = "/tmp/rtc-certificates-XXXXXX";
    directory_ = ::mkdtemp(name);
    make("ca", "");
    make("leaf",
         "-CA " + ca() + " -CAkey " + directory_ + "/ca.key -addext subjectAltName=" + names);
  }
  ~Certificates() { std::filesystem::remove_all(directory_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string ca() const { return directory_ + "/ca.pem"; }
  std::string certificate() const { return directory_ + "/leaf.pem"; }
  std::string key() const { return directory_ + "/leaf.key"; }
  RedisTlsFiles files() const { return {ca(), "", ""}; }
  RedisTlsFiles own_files() const { return {ca(), certificate(), key()}; }

 private:
  void make(const std::string& what, const std::string& by) const {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
        "'/CN=a test' -keyout " +
        directory_ + "/" + what + ".key -out " + directory_ + "/" + what + ".pem " + by +
        " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << "is openssl installed? " << command;
  }

  std::string directory_;
};

}  // namespace rtc::relay::test

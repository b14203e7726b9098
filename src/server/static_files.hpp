// The browser client, embedded in the program: files by path, compressed as the reader takes them.
// Read-only once made: any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "http/request_parser.hpp"
#include "http/response.hpp"

namespace rtc::server {

// As the build embeds them from web/dist. `path` begins with '/'; a compressed copy of a file is a
// file of its own, its name ending in ".br" or ".gz".
struct EmbeddedFile {
  std::string_view path;
  std::string_view content;
};
std::span<const EmbeddedFile> embedded_page();

class StaticFiles {
 public:
  explicit StaticFiles(std::span<const EmbeddedFile> files);

  bool has(std::string_view path) const;
  // GET and HEAD of a path that it has ("/" is index.html): with ETag and 304, Cache-Control
  // (files under /assets/ carry a hash or a version in their names and never change), the content
  // security policy, and the best encoding out of br, gzip and none that Accept-Encoding takes.
  http::Response get(const http::Request& request) const;

 private:
  struct File {
    std::string_view plain;
    std::string_view brotli;
    std::string_view gzip;
    std::string_view content_type;
    std::string etag;
    bool immutable = false;
  };
  std::unordered_map<std::string_view, File> files_;
};

}  // namespace rtc::server

#include "server/static_files.hpp"

#include <array>
#include <fmt/core.h>
#include <openssl/sha.h>
#include <utility>

namespace rtc::server {
namespace {

// Scripts and styles only from files of ours; no frame may hold the page; no HTML from strings
// and no script's address but by way of the page's own named policies (Trusted Types).
constexpr std::string_view kContentSecurityPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types svelte-trusted-html rtc-service-worker";

std::string_view content_type_of(std::string_view path) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kTypes{{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".json", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".txt", "text/plain; charset=utf-8"},
  }};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "application/octet-stream";
}

std::string hash_of(std::string_view content) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), digest.data());
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) text += fmt::format("{:02x}", digest[i]);
  return text;
}

// Whether an Accept-Encoding header takes `coding` (RFC 9110, section 12.5.3), q-values counted
// only where they refuse.
bool accepts(std::string_view header, std::string_view coding) {
  while (!header.empty()) {
    const auto comma = header.find(',');
    std::string_view item = header.substr(0, comma);
    header = comma == std::string_view::npos ? std::string_view{} : header.substr(comma + 1);
    while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
    if (!item.starts_with(coding)) continue;
    const std::string_view rest = item.substr(coding.size());
    const auto weight = rest.find_first_not_of(" \t");
    if (weight == std::string_view::npos) return true;
    if (rest[weight] != ';') continue;
    const auto q = rest.find("q=0");
    return q == std::string_view::npos || rest.find_first_of("123456789", q) != rest.npos;
  }
  return false;
}

std::string_view normalized(std::string_view path) {
  return path == "/" ? "/index.html" : path;
}

}  // namespace

StaticFiles::StaticFiles(std::span<const EmbeddedFile> files) {
  for (const EmbeddedFile& file : files) {
    if (file.path.ends_with(".br")) {
      files_[file.path.substr(0, file.path.size() - 3)].brotli = file.content;
    } else if (file.path.ends_with(".gz")) {
      files_[file.path.substr(0, file.path.size() - 3)].gzip = file.content;
    } else {
      File& made = files_[file.path];
      made.plain = file.content;
      made.content_type = content_type_of(file.path);
      made.etag = hash_of(file.content);
      made.immutable = file.path.starts_with("/assets/");
    }
  }
}

bool StaticFiles::has(std::string_view path) const {
  return files_.contains(normalized(path));
}

http::Response StaticFiles::get(const http::Request& request) const {
  const File& file = files_.at(normalized(request.path));
  http::Response response;
  std::string_view content = file.plain;
  std::string_view coding;
  const std::string accepted = request.header("Accept-Encoding");
  if (!file.brotli.empty() && accepts(accepted, "br")) {
    content = file.brotli;
    coding = "br";
  } else if (!file.gzip.empty() && accepts(accepted, "gzip")) {
    content = file.gzip;
    coding = "gzip";
  }
  const std::string etag = fmt::format("\"{}{}{}\"", file.etag, coding.empty() ? "" : "-", coding);
  response.headers = {
      {"ETag", etag},
      {"Vary", "Accept-Encoding"},
      {"Cache-Control", file.immutable ? "public, max-age=31536000, immutable" : "no-cache"},
      {"Content-Security-Policy", std::string(kContentSecurityPolicy)},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Permissions-Policy", "camera=(), microphone=(), geolocation=()"},
  };
  const std::string known = request.header("If-None-Match");
  if (known == "*" || known.find(etag) != std::string::npos) {
    response.status = 304;
    return response;
  }
  if (!coding.empty()) response.headers.emplace_back("Content-Encoding", coding);
  response.content_type = file.content_type;
  response.body = content;
  return response;
}

}  // namespace rtc::server

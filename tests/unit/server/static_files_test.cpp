#include "server/static_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rtc::server {
namespace {

using testing::HasSubstr;

constexpr EmbeddedFile kFiles[] = {
    {"/index.html", "<p>"},
    {"/index.html.br", "B"},
    {"/index.html.gz", "GZ"},
    {"/assets/app-1a2b.js", "let"},
    {"/assets/app-1a2b.js.gz", "gz"},
    {"/icon.svg", "<svg>"},
    {"/thing", "?"},
};

class StaticFilesTest : public testing::Test {
 protected:
  http::Response get(const std::string& path, const std::string& encodings = "",
                     const std::string& known = "") const {
    http::Request request;
    request.method = "GET";
    request.path = path;
    if (!encodings.empty()) request.headers.emplace_back("accept-encoding", encodings);
    if (!known.empty()) request.headers.emplace_back("If-None-Match", known);
    return files_.get(request);
  }
  static std::string header(const http::Response& response, std::string_view name) {
    std::string value;
    for (const auto& [each, text] : response.headers) {
      if (each == name) value += text;
    }
    return value;
  }
  std::string coding(const std::string& path, const std::string& encodings) const {
    return header(get(path, encodings), "Content-Encoding");
  }

  StaticFiles files_{kFiles};
};

TEST_F(StaticFilesTest, HasItsFilesAndNothingElse) {
  EXPECT_TRUE(files_.has("/"));
  EXPECT_TRUE(files_.has("/index.html"));
  EXPECT_TRUE(files_.has("/assets/app-1a2b.js"));
  for (const char* path : {"", "/index.html.br", "/index.html.gz", "/assets/", "/assets",
                           "index.html", "/../index.html", "/index.html/", "/INDEX.HTML", "//"}) {
    EXPECT_FALSE(files_.has(path)) << path;
  }
}

TEST_F(StaticFilesTest, SendsThemAsWhatTheyAre) {
  const http::Response page = get("/");
  EXPECT_EQ(page.status, 200U);
  EXPECT_EQ(page.body, "<p>");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/assets/app-1a2b.js").content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(get("/icon.svg").content_type, "image/svg+xml");
  EXPECT_EQ(get("/thing").content_type, "application/octet-stream");
}

TEST_F(StaticFilesTest, SendsTheBestEncodingThatIsTaken) {
  struct Row {
    const char* accepted;
    const char* coding;
  };
  for (const Row& row : {Row{"", ""},
                         {"gzip", "gzip"},
                         {"br", "br"},
                         {"gzip, deflate, br", "br"},
                         {"gzip,deflate,br;q=0", "gzip"},
                         {"br;q=0, gzip;q=0", ""},
                         {"br; q=0.000, gzip;q=0.001", "gzip"},
                         {"br ; q=0 , gzip", "gzip"},
                         {"br;q=1.0", "br"},
                         {"br;q=0.5, gzip;q=1", "br"},
                         {"identity", ""},
                         {"deflate", ""},
                         {"brotli, gzipped", ""},
                         {"x-br, x-gzip", ""}}) {
    EXPECT_EQ(coding("/", row.accepted), row.coding) << row.accepted;
  }
  EXPECT_EQ(get("/", "br").body, "B");
  EXPECT_EQ(get("/", "gzip").body, "GZ");
  EXPECT_EQ(coding("/assets/app-1a2b.js", "br, gzip"), "gzip") << "there is no other";
  EXPECT_EQ(coding("/icon.svg", "br, gzip"), "");
  EXPECT_EQ(get("/", "br").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(header(get("/"), "Vary"), "Accept-Encoding");
}

TEST_F(StaticFilesTest, EachEncodingHasItsOwnTag) {
  const std::string plain = header(get("/"), "ETag");
  const std::string brotli = header(get("/", "br"), "ETag");
  EXPECT_TRUE(plain.starts_with("\"") && plain.ends_with("\"") && plain.size() > 10) << plain;
  EXPECT_NE(plain, brotli);
  EXPECT_NE(plain, header(get("/icon.svg"), "ETag"));
  EXPECT_EQ(plain, header(StaticFilesTest::get("/index.html"), "ETag"));
}

TEST_F(StaticFilesTest, WhatIsKnownIsNotSentAgain) {
  const std::string plain = header(get("/"), "ETag");
  const std::string brotli = header(get("/", "br"), "ETag");
  for (const std::string& known :
       {plain, "W/" + plain, "\"other\", " + plain, plain + ", \"other\"", std::string("*")}) {
    const http::Response response = get("/", "", known);
    EXPECT_EQ(response.status, 304U) << known;
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(header(response, "ETag"), plain);
    EXPECT_EQ(header(response, "Cache-Control"), "no-cache");
    EXPECT_EQ(header(response, "Vary"), "Accept-Encoding");
  }
  EXPECT_EQ(get("/", "br", brotli).status, 304U);
  EXPECT_EQ(get("/", "br", plain).status, 200U) << "other bytes";
  EXPECT_EQ(get("/", "", brotli).status, 200U);
  EXPECT_EQ(get("/", "", "\"other\"").status, 200U);
  EXPECT_EQ(get("/", "", plain.substr(1, plain.size() - 2)).status, 200U) << "tags are quoted";
}

TEST_F(StaticFilesTest, HashedFilesNeverChangeOthersAreAskedFor) {
  EXPECT_EQ(header(get("/assets/app-1a2b.js"), "Cache-Control"),
            "public, max-age=31536000, immutable");
  EXPECT_EQ(header(get("/"), "Cache-Control"), "no-cache");
  EXPECT_EQ(header(get("/icon.svg"), "Cache-Control"), "no-cache");
}

TEST_F(StaticFilesTest, TheContentSecurityPolicyAllowsOwnFilesOnly) {
  const std::string policy = header(get("/"), "Content-Security-Policy");
  for (const char* rule :
       {"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
        "form-action 'none'", "connect-src 'self'", "require-trusted-types-for 'script'"}) {
    EXPECT_THAT(policy, HasSubstr(rule));
  }
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(policy.find('*'), std::string::npos);
}

}  // namespace
}  // namespace rtc::server

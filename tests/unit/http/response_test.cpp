#include "http/response.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <regex>

namespace rtc::http {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Response response_of(unsigned status, std::string content_type = "", std::string body = "") {
  Response response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

TEST(Response, HasItsLineHeadersAndBody) {
  const std::string text = serialize({.status = 200,
                                      .headers = {{"ETag", "\"x\""}, {"Vary", "Origin"}},
                                      .content_type = "application/json",
                                      .body = "{}"},
                                     {});
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200 OK\r\n"));
  for (const char* line : {"Content-Length: 2", "Content-Type: application/json",
                           "Connection: keep-alive", "X-Content-Type-Options: nosniff",
                           "Referrer-Policy: no-referrer", "ETag: \"x\"", "Vary: Origin"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\r\n") + line + "\r\n"));
  }
  EXPECT_TRUE(text.ends_with("\r\n\r\n{}"));
  EXPECT_EQ(text.find("\r\n\r\n"), text.size() - 6) << "one blank line, before the body";
}

TEST(Response, IsDated) {
  const std::string text = serialize({}, {});
  const std::regex date(
      "\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] "
      "(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) 20[0-9]{2} "
      "[0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT\r\n");
  EXPECT_TRUE(std::regex_search(text, date)) << text;
}

TEST(Response, SaysWhetherTheConnectionIsKept) {
  EXPECT_THAT(serialize({}, {.keep_alive = true}), HasSubstr("\r\nConnection: keep-alive\r\n"));
  EXPECT_THAT(serialize({}, {.keep_alive = false}), HasSubstr("\r\nConnection: close\r\n"));
}

TEST(Response, AnEmptyBodyHasALengthAndNoType) {
  const std::string text = serialize(response_of(404), {});
  EXPECT_THAT(text, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nContent-Length: 0\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("\r\nContent-Type")));
}

TEST(Response, ToHeadHasTheHeadersOfGetAndNoBody) {
  const Response response = response_of(200, "text/plain", "twelve bytes");
  const std::string get = serialize(response, {});
  const std::string head = serialize(response, {.body = Body::none});
  EXPECT_THAT(head, HasSubstr("\r\nContent-Length: 12\r\n"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  EXPECT_EQ(head.size() + 12, get.size());
}

TEST(Response, AStreamedBodyHasNoLengthAndComesInChunks) {
  const Response response = response_of(200, "text/plain");
  const std::string chunked = serialize(response, {.body = Body::chunked});
  EXPECT_THAT(chunked, HasSubstr("\r\nTransfer-Encoding: chunked\r\n"));
  EXPECT_THAT(chunked, Not(HasSubstr("Content-Length")));
  const std::string until_close =
      serialize(response, {.keep_alive = false, .body = Body::until_close});
  EXPECT_THAT(until_close, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(until_close, Not(HasSubstr("Transfer-Encoding")));
  EXPECT_THAT(until_close, Not(HasSubstr("Content-Length")));
  EXPECT_EQ(chunk("twelve bytes"), "c\r\ntwelve bytes\r\n");
  EXPECT_EQ(chunk(std::string(255, 'x')).substr(0, 4), "ff\r\n");
}

TEST(Response, SomeStatusesHaveNeitherLengthNorBody) {
  for (const unsigned status : {101U, 204U, 304U}) {
    const std::string text = serialize(response_of(status, "text/plain", "stray"), {});
    EXPECT_THAT(text, Not(HasSubstr("Content-Length"))) << status;
    EXPECT_THAT(text, Not(HasSubstr("stray"))) << status;
    EXPECT_TRUE(text.ends_with("\r\n\r\n")) << status;
  }
}

TEST(Response, AnUpgradeBringsItsOwnConnectionHeader) {
  Response response = response_of(101);
  response.headers = {{"Connection", "Upgrade"}, {"Upgrade", "websocket"}};
  const std::string text = serialize(response, {});
  EXPECT_THAT(text, StartsWith("HTTP/1.1 101 Switching Protocols\r\n"));
  EXPECT_THAT(text, HasSubstr("\r\nConnection: Upgrade\r\n"));
  EXPECT_THAT(text, Not(HasSubstr("keep-alive")));
}

TEST(Response, KnowsTheNamesOfItsStatuses) {
  for (const auto& [status, name] : {std::pair{400U, "Bad Request"},
                                     {401U, "Unauthorized"},
                                     {403U, "Forbidden"},
                                     {405U, "Method Not Allowed"},
                                     {413U, "Payload Too Large"},
                                     {414U, "URI Too Long"},
                                     {429U, "Too Many Requests"},
                                     {431U, "Request Header Fields Too Large"},
                                     {500U, "Internal Server Error"},
                                     {501U, "Not Implemented"},
                                     {503U, "Service Unavailable"},
                                     {505U, "HTTP Version Not Supported"}}) {
    EXPECT_THAT(serialize(response_of(status), {}),
                StartsWith("HTTP/1.1 " + std::to_string(status) + " " + name + "\r\n"));
  }
}

}  // namespace
}  // namespace rtc::http

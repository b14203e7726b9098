#include "http/request_parser.hpp"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "unit/http/requests.hpp"

namespace rtc::http {
namespace {

using test::cut;
using test::Outcome;
using test::parse;

Request parsed(const std::string& text) {
  RequestParser parser({});
  std::span<const char> input(text);
  EXPECT_EQ(parser.next(input), RequestParser::Step::request) << parser.error_text();
  EXPECT_TRUE(input.empty());
  return parser.error_status() == 0 ? parser.take_request() : Request{};
}

Request get(const std::string& target) {
  return parsed("GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n");
}

unsigned status_of(const std::string& text, const RequestLimits& limits = {}) {
  const unsigned whole = parse({text}, limits).error_status;
  EXPECT_EQ(parse(cut(text, 1), limits).error_status != 0, whole != 0) << "byte by byte: " << text;
  return whole;
}

TEST(RequestParser, TellsWhatWasSent) {
  const Request request = parsed(
      "POST /a%20b?x=1&y=%C3%A9&x=2 HTTP/1.1\r\nHost: example.org\r\nX-Thing:  two words \r\n"
      "Content-Length: 5\r\n\r\nhello");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/a%20b?x=1&y=%C3%A9&x=2");
  EXPECT_EQ(request.path, "/a b");
  const std::vector<std::pair<std::string, std::string>> query{
      {"x", "1"}, {"y", "\xC3\xA9"}, {"x", "2"}};
  EXPECT_EQ(request.query, query);
  EXPECT_EQ(request.parameter("x"), "1");
  EXPECT_EQ(request.parameter("X"), std::nullopt);
  EXPECT_EQ(request.version, 11U);
  EXPECT_TRUE(request.keep_alive);
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.header("x-THING"), "two words");
  EXPECT_EQ(request.header("absent"), "");
  EXPECT_EQ(request.headers.front().first, "Host");
}

TEST(RequestParser, JoinsHeadersOfOneName) {
  const Request request = parsed(
      "GET / HTTP/1.1\r\nX-Forwarded-For: 1.1.1.1\r\nHost: a\r\nx-forwarded-for: 2.2.2.2, 3.3.3.3"
      "\r\nX-Forwarded-For:\r\n\r\n");
  EXPECT_EQ(request.header("X-Forwarded-For"), "1.1.1.1, 2.2.2.2, 3.3.3.3, ");
}

TEST(RequestParser, KnowsWhetherTheConnectionIsKept) {
  EXPECT_TRUE(parsed("GET / HTTP/1.1\r\n\r\n").keep_alive);
  EXPECT_FALSE(parsed("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").keep_alive);
  EXPECT_FALSE(parsed("GET / HTTP/1.0\r\n\r\n").keep_alive);
  EXPECT_TRUE(parsed("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
  EXPECT_EQ(parsed("GET / HTTP/1.0\r\n\r\n").version, 10U);
}

TEST(RequestParser, DecodesPathsAndQueries) {
  EXPECT_EQ(get("/").path, "/");
  EXPECT_EQ(get("/%2e%2E/x").path, "/../x");
  EXPECT_EQ(get("/a%2Fb").path, "/a/b");
  EXPECT_EQ(get("/%EA%B0%80").path, "/가");
  EXPECT_EQ(get("//two").path, "//two");
  EXPECT_EQ(get("/a+b").path, "/a+b");
  EXPECT_EQ(get("/?a=b%26c&d").parameter("a"), "b&c");
  EXPECT_EQ(get("/?a=b&d").parameter("d"), "");
  EXPECT_EQ(get("/?a==b").parameter("a"), "=b");
  EXPECT_EQ(get("/?").path, "/");
  // Broken escapes and characters that have no place there: no path, so no such page.
  for (const char* target : {"/%", "/%4", "/%zz", "/a?%g1=1", "/a?b=%", "/a\\b", "/a?x=\"y\""}) {
    const Outcome outcome = parse({std::string("GET ") + target + " HTTP/1.1\r\nHost: a\r\n\r\n"});
    if (outcome.error_status == 0) {
      EXPECT_EQ(get(target).path, "") << target;
    }
  }
}

TEST(RequestParser, OtherFormsOfTargetHaveNoPath) {
  for (const char* target :
       {"ftp://example.org/init", "http:///init", "http://u:p@example.org/init", "http:/init",
        "http:init", "example.org/init", "http://example.org/%zz", "http://example.org/#a",
        "http://example.org:name"}) {
    EXPECT_EQ(get(target).path, "") << target;
  }
  EXPECT_EQ(parsed("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").path, "");
  EXPECT_EQ(parsed("CONNECT example.org:443 HTTP/1.1\r\nHost: a\r\n\r\n").path, "");
}

// RFC 9112, section 3.2.2.
TEST(RequestParser, AnAddressAsTargetIsItsPathAndHost) {
  const Request request = get("http://example.org:8080/a%20b?x=1");
  EXPECT_EQ(request.path, "/a b");
  EXPECT_EQ(request.parameter("x"), "1");
  EXPECT_EQ(request.header("Host"), "example.org:8080") << "not what the header said";
  EXPECT_EQ(request.target, "http://example.org:8080/a%20b?x=1");
  EXPECT_EQ(get("HTTPS://example.org/init").path, "/init");
  EXPECT_EQ(get("http://example.org").path, "/");
  EXPECT_EQ(get("http://[::1]:80/x").header("host"), "[::1]:80");
  EXPECT_EQ(parsed("GET http://example.org/ HTTP/1.1\r\n\r\n").header("Host"), "")
      << "the header is needed all the same";
}

// RFC 9112, section 2.2.
TEST(RequestParser, AFewEmptyLinesMayComeFirst) {
  const std::string get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string post = "POST /y HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nz";
  const std::string text = "\r\n" + get + "\r\n\r\n" + post + "\r\n" + get + "\r\n";
  const Outcome whole = parse({text});
  EXPECT_EQ(whole.requests.size(), 3U) << whole.error_text;
  EXPECT_TRUE(whole.ended_well()) << "an empty line is no request that has begun";
  for (std::size_t size = 1; size < 9; ++size) EXPECT_EQ(parse(cut(text, size)), whole) << size;
  EXPECT_EQ(status_of("\r\n\r\n\r\n" + get), 400U) << "not without end";
  EXPECT_EQ(status_of("\n" + get), 400U);
  EXPECT_EQ(status_of("\r" + get), 400U);
}

TEST(RequestParser, LinesEndInCarriageReturnAndLineFeed) {
  for (const char* text :
       {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\nHost: a\r\n\r\n"}) {
    for (const auto& pieces : {std::vector<std::string>{text}, cut(text, 1)}) {
      const Outcome outcome = parse(pieces);
      EXPECT_EQ(outcome.error_status, 400U) << text;
      EXPECT_NE(outcome.error_text.find("without CR LF"), std::string::npos) << outcome.error_text;
    }
  }
  const std::string body = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n\n\na\n";
  for (std::size_t at = 1; at < body.size(); ++at) {
    const Outcome outcome = parse({body.substr(0, at), body.substr(at)});
    EXPECT_EQ(outcome.requests.size(), 1U) << "a body's are its own, cut at " << at;
  }
}

TEST(RequestParser, TheHeadOfWhatFailedIsKnownWhenItWasWhole) {
  const auto head_of = [](const std::string& text) {
    RequestParser parser({});
    std::span<const char> input(text);
    EXPECT_NE(parser.next(input), RequestParser::Step::request);
    return parser.take_head();
  };
  const std::string post = "POST /x HTTP/1.1\r\nHost: a\r\nOrigin: o\r\n";
  for (const char* rest :
       {"Content-Length: 70000\r\n\r\n", "Content-Length: 5\r\n\r\nhell", "Host: b\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nxxxxx"}) {
    const Request head = head_of(post + rest);
    EXPECT_EQ(head.method, "POST") << rest;
    EXPECT_EQ(head.header("Origin"), "o") << rest;
  }
  EXPECT_EQ(head_of(post + "broken\r\n\r\n").header("Origin"), "");
  EXPECT_EQ(head_of(post).header("Origin"), "");
}

TEST(RequestParser, EveryCutGivesTheSameRequests) {
  const std::string text =
      "GET /one?a=1 HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n"
      "POST /two HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world"
      "POST /three HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
      "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: x\r\n\r\n"
      "GET /four HTTP/1.0\r\n\r\n";
  const Outcome whole = parse({text});
  ASSERT_EQ(whole.requests.size(), 4U) << whole.error_text;
  EXPECT_TRUE(whole.whole);
  EXPECT_TRUE(whole.requests[1].ends_with(" hello world"));
  EXPECT_TRUE(whole.requests[2].ends_with(" hello world"));
  for (std::size_t at = 1; at < text.size(); ++at) {
    EXPECT_EQ(parse({text.substr(0, at), text.substr(at)}), whole) << "cut at " << at;
  }
  for (std::size_t size = 1; size < 20; ++size) {
    EXPECT_EQ(parse(cut(text, size)), whole) << "pieces of " << size;
  }
}

TEST(RequestParser, NeverTakesMoreThanOneRequest) {
  const std::string first = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string second = "GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";
  const std::string text = first + second;
  RequestParser parser({});
  EXPECT_FALSE(parser.in_request());
  std::span<const char> input(text);
  ASSERT_EQ(parser.next(input), RequestParser::Step::request);
  EXPECT_EQ(input.size(), second.size());
  EXPECT_EQ(parser.take_request().path, "/1");
  parser.restart();
  EXPECT_FALSE(parser.in_request());
  std::span<const char> part = input.first(5);
  ASSERT_EQ(parser.next(part), RequestParser::Step::need_more);
  EXPECT_TRUE(parser.in_request());
  EXPECT_TRUE(part.empty());
  std::span<const char> rest = input.subspan(5);
  ASSERT_EQ(parser.next(rest), RequestParser::Step::request);
  EXPECT_EQ(parser.take_request().path, "/2");
}

TEST(RequestParser, TargetsEndAtTheirLimit) {
  const RequestLimits limits{.target_bytes_max = 300, .header_bytes_max = 4096};
  const auto request = [](const std::string& method, std::size_t target_bytes) {
    return method + " /" + std::string(target_bytes - 1, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  for (const std::string method : {"GET", "AMETHODWHOSENAMEISLONGERTHANANYTHATTHEREIS"}) {
    for (std::size_t size = 1; size < 400; size += 13) {
      EXPECT_EQ(parse(cut(request(method, 300), size), limits).requests.size(), 1U) << size;
      EXPECT_EQ(parse(cut(request(method, 301), size), limits).error_status, 414U) << size;
    }
  }
  // Told before the line is whole: the rest of it may never come.
  EXPECT_EQ(parse({"GET /" + std::string(400, 'a')}, limits).error_status, 414U);
}

// A long header is no long target, also when the request line came before it.
TEST(RequestParser, ALongHeaderIsNotATargetThatIsTooLong) {
  const RequestLimits limits{.target_bytes_max = 256, .header_bytes_max = 4096};
  const std::string text =
      "GET / HTTP/1.1\r\nHost: a\r\nCookie: " + std::string(2000, 'c') + "\r\n\r\n";
  const Outcome whole = parse({text}, limits);
  ASSERT_EQ(whole.requests.size(), 1U) << whole.error_text;
  for (const std::size_t size : {1U, 7U, 16U, 100U, 1000U}) {
    const Outcome pieces = parse(cut(text, size), limits);
    EXPECT_EQ(pieces, whole) << size << ": " << pieces.error_status << " " << pieces.error_text;
  }
}

TEST(RequestParser, HeaderBlocksEndAtTheirLimit) {
  const RequestLimits limits{.target_bytes_max = 256, .header_bytes_max = 1000};
  const auto request = [](std::size_t bytes) {
    const std::string begin = "GET / HTTP/1.1\r\nHost: a\r\nX: ";
    return begin + std::string(bytes - begin.size() - 4, 'x') + "\r\n\r\n";
  };
  for (const std::size_t size : {1U, 10U, 999U, 2000U}) {
    EXPECT_EQ(parse(cut(request(1000), size), limits).requests.size(), 1U) << size;
    EXPECT_EQ(parse(cut(request(1001), size), limits).error_status, 431U) << size;
  }
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 1000; ++i) many += "a: b\r\n";
  EXPECT_EQ(parse({many}, limits).error_status, 431U);
}

TEST(RequestParser, BodiesEndAtTheirLimit) {
  const RequestLimits limits{.body_bytes_max = 100};
  const auto sized = [](std::size_t bytes) {
    return "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(bytes) + "\r\n\r\n";
  };
  const auto chunked = [](std::size_t bytes) {
    std::string text = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t i = 0; i < bytes; ++i) text += "1\r\nx\r\n";
    return text + "0\r\n\r\n";
  };
  EXPECT_EQ(parse({sized(100) + std::string(100, 'x')}, limits).requests.size(), 1U);
  EXPECT_EQ(parse({sized(101)}, limits).error_status, 413U) << "judged before it comes";
  EXPECT_EQ(parse({sized(9'000'000'000'000'000'000U)}, limits).error_status, 413U);
  for (const std::size_t size : {1U, 11U, 10'000U}) {
    EXPECT_EQ(parse(cut(chunked(100), size), limits).requests.size(), 1U) << size;
    EXPECT_EQ(parse(cut(chunked(101), size), limits).error_status, 413U) << size;
  }
  // A chunk's own size is judged before it comes, too.
  EXPECT_EQ(
      parse({"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\nx"}, limits).error_status,
      413U);
}

// What lies around the chunks is no body, and bounded all the same.
TEST(RequestParser, SomeTargetsTakeLongerBodies) {
  RequestLimits limits{.body_bytes_max = 10, .long_body_bytes_max = 100};
  limits.takes_long_body = [](std::string_view target) { return target == "/long"; };
  const auto status = [&](std::string_view target, std::size_t size, bool chunked) {
    const std::string body(size, 'x');
    const std::string head = "POST " + std::string(target) + " HTTP/1.1\r\nHost: h\r\n";
    const std::string whole =
        chunked ? head + "Transfer-Encoding: chunked\r\n\r\n" + fmt::format("{:x}", size) + "\r\n" +
                      body + "\r\n0\r\n\r\n"
                : head + "Content-Length: " + std::to_string(size) + "\r\n\r\n" + body;
    return parse({whole}, limits).error_status;
  };
  for (const bool chunked : {false, true}) {
    EXPECT_EQ(status("/short", 10, chunked), 0U);
    EXPECT_EQ(status("/short", 11, chunked), 413U);
    EXPECT_EQ(status("/long", 100, chunked), 0U);
    EXPECT_EQ(status("/long", 101, chunked), 413U);
  }
}

TEST(RequestParser, ChunkExtensionsAndTrailersAreBounded) {
  const RequestLimits limits{.header_bytes_max = 1024, .body_bytes_max = 1024};
  const std::string begin = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string megabyte(1 << 20, 'x');
  EXPECT_NE(parse(cut(begin + "1;a=" + megabyte, 1000), limits).error_status, 0U);
  EXPECT_NE(parse(cut(begin + "0\r\nA: " + megabyte, 1000), limits).error_status, 0U);
  std::string trailers = begin + "0\r\n";
  for (int i = 0; i < 10'000; ++i) trailers += "a: b\r\n";
  EXPECT_NE(parse(cut(trailers, 1000), limits).error_status, 0U);
}

// A proxy writes what it knows about a client into the headers; the client writes the trailers.
TEST(RequestParser, TrailersAreNotHeaders) {
  const Request request = parsed(
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n"
      "0\r\nX-Forwarded-For: 127.0.0.1\r\nAuthorization: Bearer x\r\n\r\n");
  EXPECT_EQ(request.header("X-Forwarded-For"), "203.0.113.9");
  EXPECT_EQ(request.header("Authorization"), "");
}

TEST(RequestParser, AnEmptyChunkedBodyMayComeByteByByte) {
  const std::string text =
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
  EXPECT_EQ(parse({text}).requests.size(), 2U);
  for (std::size_t size = 1; size < 10; ++size) EXPECT_EQ(parse(cut(text, size)), parse({text}));
}

TEST(RequestParser, AsksForTheBodyThatWaits) {
  const std::string head = "POST / HTTP/1.1\r\nExpect: 100-CONTINUE\r\nContent-Length: 2\r\n\r\n";
  RequestParser parser({});
  std::span<const char> input(head);
  ASSERT_EQ(parser.next(input), RequestParser::Step::expects_continue);
  EXPECT_TRUE(input.empty());
  EXPECT_TRUE(parser.in_request());
  const std::string one = "o";
  input = one;
  EXPECT_EQ(parser.next(input), RequestParser::Step::need_more) << "it is asked for once";
  const std::string two = "k";
  input = two;
  ASSERT_EQ(parser.next(input), RequestParser::Step::request);
  EXPECT_EQ(parser.take_request().body, "ok");

  const Outcome at_once = parse({head + "ok"});
  EXPECT_EQ(at_once.requests.size(), 1U);
  // Refused by its size before it is asked for.
  EXPECT_EQ(parse({"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n"})
                .error_status,
            413U);
}

TEST(RequestParser, AnErrorIsFinal) {
  RequestParser parser({});
  const std::string bad = "GET / HTTP/1.1\r\nbroken\r\n\r\n";
  std::span<const char> input(bad);
  ASSERT_EQ(parser.next(input), RequestParser::Step::error);
  EXPECT_EQ(parser.error_status(), 400U);
  EXPECT_FALSE(parser.error_text().empty());
  const std::string good = "GET / HTTP/1.1\r\n\r\n";
  input = good;
  EXPECT_EQ(parser.next(input), RequestParser::Step::error) << "what follows cannot be trusted";
}

// Where two readers of the same bytes could see different requests (RFC 9112, section 11.2).
TEST(RequestParser, RefusesWhatCouldBeReadTwoWays) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  const std::string chunks = "\r\n\r\n0\r\n\r\n";
  EXPECT_EQ(status_of(post + "Content-Length: 5\r\nTransfer-Encoding: chunked" + chunks), 400U);
  EXPECT_EQ(status_of(post + "Transfer-Encoding: chunked\r\nContent-Length: 5" + chunks), 400U);
  EXPECT_EQ(status_of(post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"), 400U);
  EXPECT_EQ(status_of(post + "Content-Length: 5, 6\r\n\r\nhello!"), 400U);
  for (const char* length : {"", "-5", "+5", "0x5", "5a", "5 5", "18446744073709551621"}) {
    EXPECT_EQ(status_of(post + "Content-Length: " + length + "\r\n\r\nhello"), 400U) << length;
  }
  EXPECT_EQ(status_of(post + "Content-Length : 5\r\n\r\nhello"), 400U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\n Content-Length: 5\r\n\r\nhello"), 400U);
  EXPECT_EQ(status_of(post + "X: a\rContent-Length: 5\r\n\r\n"), 400U) << "a bare CR";
  EXPECT_EQ(status_of(post + "X: a\nContent-Length: 5\r\n\r\n"), 400U) << "a bare LF";
  EXPECT_EQ(status_of(post + std::string("X: a\0b\r\n\r\n", 10)), 400U);
  EXPECT_EQ(status_of(post + std::string("X\0: a\r\n\r\n", 9)), 400U);
  EXPECT_EQ(status_of(std::string("GET /\0 HTTP/1.1\r\n\r\n", 19)), 400U);
  EXPECT_EQ(status_of("GET / x HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("GET /\t HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of("G@T / HTTP/1.1\r\n\r\n"), 400U);
  EXPECT_EQ(status_of(post + ": nameless\r\n\r\n"), 400U);
  EXPECT_EQ(status_of(post + "host: a\r\n\r\n"), 400U) << "two of them, even equal ones";
  for (const char* chunk : {"x\r\n", "-1\r\n", " 1\r\nx\r\n", "0x1\r\nx\r\n", "1\nx\r\n", "1\r\nxy",
                            "10000000000000000\r\n"}) {
    const unsigned status =
        status_of(post + "Transfer-Encoding: chunked\r\n\r\n" + chunk + "\r\n0\r\n\r\n");
    EXPECT_TRUE(status == 400U || status == 413U) << chunk << ": " << status;
  }
}

// A coding that is not undone here would leave the body's end to guessing (RFC 9112, section 6.1).
TEST(RequestParser, KnowsNoTransferCodingButChunked) {
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const char* coding : {"gzip", "identity", "xchunked", "chunked, gzip", "gzip, chunked",
                             "chunked;x=y", "\"chunked\"", "chunked, identity"}) {
    for (const char* length : {"", "Content-Length: 5\r\n"}) {
      const unsigned status =
          status_of(post + "Transfer-Encoding: " + coding + "\r\n" + length + "\r\nhello");
      EXPECT_TRUE(status == 501U || status == 400U) << coding << " " << length << status;
    }
  }
  EXPECT_EQ(status_of(post + "Transfer-Encoding: gzip\r\n\r\n"), 501U);
  EXPECT_NE(status_of(post + "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n"),
            0U);
  EXPECT_NE(status_of(post + "Transfer-Encoding:\r\n\r\n"), 0U);
  // HTTP/1.0 has none at all.
  EXPECT_NE(status_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 0U);
  const Outcome good = parse({post + "Transfer-Encoding: CHUNKED\r\n\r\n1\r\nx\r\n0\r\n\r\n"});
  EXPECT_EQ(good.requests.size(), 1U) << good.error_text;
}

TEST(RequestParser, SpeaksTwoVersions) {
  EXPECT_EQ(status_of("GET / HTTP/2.0\r\n\r\n"), 505U);
  EXPECT_EQ(status_of("GET / HTTP/1.2\r\n\r\n"), 505U);
  EXPECT_EQ(status_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505U);
  EXPECT_EQ(status_of("GET /\r\n\r\n"), 400U) << "HTTP/0.9";
  EXPECT_EQ(status_of("GET / http/1.1\r\n\r\n"), 400U);
  EXPECT_NE(status_of("GET / HTTP/1.1x\r\n\r\n"), 0U);
  EXPECT_EQ(status_of(std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03", 10)), 400U) << "TLS";
}

// RFC 9112, section 5.2: refused, or the fold made a space; never two readings.
TEST(RequestParser, AFoldedHeaderIsOneValue) {
  const std::string text = "GET / HTTP/1.1\r\nX: a\r\n b\r\nHost: c\r\n\r\n";
  const Outcome outcome = parse({text});
  if (outcome.error_status == 0) {
    EXPECT_EQ(parsed(text).header("X"), "a b");
    EXPECT_EQ(parsed(text).header("Host"), "c");
  } else {
    EXPECT_EQ(outcome.error_status, 400U);
  }
}

}  // namespace
}  // namespace rtc::http

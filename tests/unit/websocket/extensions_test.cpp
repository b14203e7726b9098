#include "websocket/extensions.hpp"

#include <gtest/gtest.h>

namespace rtc::websocket {
namespace {

const std::string kBase =
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

// "" none agreed; "malformed"; otherwise the answer, with "(small)" where the window is.
std::string answer(std::string_view offers) {
  const auto agreed = agree_extensions(offers);
  if (!agreed) return "malformed";
  EXPECT_EQ(agreed->header.empty(), agreed->deflate == Deflate::off);
  return agreed->header + (agreed->deflate == Deflate::small_window ? " (small)" : "");
}

struct Case {
  const char* offers;
  std::string expected;
};

TEST(Extensions, AreAgreedOn) {
  const Case cases[] = {
      {"", ""},
      {"permessage-deflate", kBase},
      {" permessage-deflate ;\tclient_max_window_bits ", kBase},
      {"permessage-deflate; server_no_context_takeover; client_no_context_takeover", kBase},
      {"permessage-deflate; client_max_window_bits=10", kBase + "; client_max_window_bits=10"},
      {"permessage-deflate; client_max_window_bits=8", kBase + "; client_max_window_bits=8"},
      {"permessage-deflate; server_max_window_bits=15", kBase + "; server_max_window_bits=15"},
      {"permessage-deflate; server_max_window_bits=14",
       kBase + "; server_max_window_bits=14 (small)"},
      {"permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
       kBase + "; server_max_window_bits=9; client_max_window_bits=9 (small)"},
      {"permessage-deflate; server_max_window_bits=\"12\"",
       kBase + "; server_max_window_bits=12 (small)"},
      {"permessage-deflate; server_max_window_bits=\"1\\2\"",
       kBase + "; server_max_window_bits=12 (small)"},
      // The first that can be honoured.
      {"x-webkit-deflate-frame, permessage-deflate", kBase},
      {"bbf-usp-protocol; eid=\"x\", permessage-deflate; client_max_window_bits", kBase},
      {"permessage-deflate; server_max_window_bits=8, permessage-deflate", kBase},
      {"permessage-deflate; server_max_window_bits=10, permessage-deflate",
       kBase + "; server_max_window_bits=10 (small)"},
      {",, permessage-deflate ,", kBase},
  };
  for (const Case& c : cases) EXPECT_EQ(answer(c.offers), c.expected) << c.offers;
}

TEST(Extensions, AreDeclined) {
  const char* const offers[] = {
      "deflate-frame",
      "PerMessage-Deflate",  // names are compared as they are
      "permessage-deflate; unknown",
      "permessage-deflate; unknown=1",
      "permessage-deflate; server_no_context_takeover=1",
      "permessage-deflate; client_no_context_takeover=\"x\"",
      "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
      "permessage-deflate; client_max_window_bits; client_max_window_bits=10",
      "permessage-deflate; server_max_window_bits",
      "permessage-deflate; server_max_window_bits=8",  // legal, but zlib has no such window
      "permessage-deflate; server_max_window_bits=7",
      "permessage-deflate; server_max_window_bits=16",
      "permessage-deflate; server_max_window_bits=09",
      "permessage-deflate; server_max_window_bits=x",
      "permessage-deflate; server_max_window_bits=1000000000000000000000",
      "permessage-deflate; client_max_window_bits=7",
      "permessage-deflate; client_max_window_bits=16",
      "permessage-deflate; client_max_window_bits=08",
  };
  for (const char* const offer : offers) EXPECT_EQ(answer(offer), "") << offer;
}

TEST(Extensions, MustBeWellFormed) {
  const char* const offers[] = {
      ";",
      "=",
      "permessage-deflate;",
      "permessage-deflate; =1",
      "permessage-deflate; server_max_window_bits=",
      "permessage-deflate; server_max_window_bits=\"10",
      "permessage-deflate; server_max_window_bits=\"\"",
      "permessage-deflate; server_max_window_bits=\"1 0\"",
      "permessage-deflate; server_max_window_bits=\"10\\",
      "permessage-deflate client_max_window_bits",
      "permessage-deflate; client_max_window_bits 10",
      "permessage-deflate, a b",
      "p\xC3\xA9",
  };
  for (const char* const offer : offers) EXPECT_EQ(answer(offer), "malformed") << offer;
}

}  // namespace
}  // namespace rtc::websocket

#include "net/address.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unordered_set>

namespace rtc::net {
namespace {

IpAddress address(std::string_view text) {
  const auto parsed = IpAddress::parse(text);
  EXPECT_TRUE(parsed) << text;
  return parsed.value_or(IpAddress{});
}

std::vector<Network> networks(const std::vector<std::string>& texts) {
  const auto parsed = parse_networks(texts);
  EXPECT_TRUE(parsed);
  return parsed ? *parsed : std::vector<Network>{};
}

TEST(IpAddress, ReadsAndWritesNumericForms) {
  const std::pair<const char*, const char*> table[] = {
      {"127.0.0.1", "127.0.0.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.1.2.3", "255.1.2.3"},
      {"::1", "::1"},
      {"[::1]", "::1"},
      {"::", "::"},
      {"2001:DB8::A", "2001:db8::a"},
      {"2001:db8:0:0:0:0:0:a", "2001:db8::a"},
      {"::ffff:10.1.2.3", "10.1.2.3"},
      {"::ffff:a01:203", "10.1.2.3"},
  };
  for (const auto& [text, written] : table) {
    const auto parsed = IpAddress::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->to_string(), written);
    EXPECT_EQ(IpAddress::parse(parsed->to_string()), parsed) << text;
  }
}

TEST(IpAddress, RefusesWhatIsNotOne) {
  using namespace std::string_view_literals;
  for (const std::string_view text :
       {""sv,           "localhost"sv, "1.2.3"sv,        "1.2.3.4.5"sv, "256.0.0.1"sv,
        "1.2.3.4:80"sv, " 1.2.3.4"sv,  "1.2.3.4 "sv,     "1.2.3.4/8"sv, "0x7f.0.0.1"sv,
        ":"sv,          ":::"sv,       "1::2::3"sv,      "[::1"sv,      "::1]"sv,
        "[]"sv,         "[[::1]]"sv,   "fe80::1%eth0"sv, "1.2.3.4\0"sv, "1.2.3.4\0evil"sv,
        "::1\0evil"sv,  "[::1\0]"sv,   "12345::1"sv,     "[1.2.3.4]"sv}) {
    EXPECT_FALSE(IpAddress::parse(text)) << "'" << text << "'";
  }
}

TEST(IpAddress, KeepsIpv4InItsIpv6Form) {
  EXPECT_TRUE(address("1.2.3.4").is_v4());
  EXPECT_TRUE(address("::ffff:1.2.3.4").is_v4());
  EXPECT_EQ(address("1.2.3.4"), address("::ffff:1.2.3.4"));
  EXPECT_FALSE(address("::1").is_v4());
  EXPECT_FALSE(address("::1.2.3.4").is_v4());
  EXPECT_NE(address("::1.2.3.4"), address("1.2.3.4"));
}

TEST(IpAddress, ComesFromSocketAddresses) {
  sockaddr_storage storage{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
  v4.sin_family = AF_INET;
  v4.sin_addr.s_addr = htonl(0xC0000201);
  EXPECT_EQ(IpAddress::from(storage).to_string(), "192.0.2.1");

  storage = {};
  auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
  v6.sin6_family = AF_INET6;
  v6.sin6_addr.s6_addr[0] = 0xfe;
  v6.sin6_addr.s6_addr[15] = 7;
  EXPECT_EQ(IpAddress::from(storage).to_string(), "fe00::7");
}

TEST(IpAddress, HashesEqualOnesAlikeAndSpreadsOthers) {
  const std::hash<IpAddress> hash;
  EXPECT_EQ(hash(address("1.2.3.4")), hash(address("::ffff:1.2.3.4")));
  std::unordered_set<std::size_t> hashes;
  for (int i = 0; i < 256; ++i) hashes.insert(hash(address("10.0.0." + std::to_string(i))));
  EXPECT_EQ(hashes.size(), 256U);
}

TEST(IpAddress, MaskedIsTheFirstOfItsNetwork) {
  EXPECT_EQ(address("10.1.2.3").masked(96 + 8).to_string(), "10.0.0.0");
  EXPECT_EQ(address("10.255.2.3").masked(96 + 9).to_string(), "10.128.0.0");
  EXPECT_EQ(address("10.1.2.3").masked(128), address("10.1.2.3"));
  EXPECT_EQ(address("2001:db8:1:2:3::").masked(64), address("2001:db8:1:2::"));
  EXPECT_EQ(address("ffff::1").masked(1), address("8000::"));
  EXPECT_EQ(address("ffff::1").masked(0), address("::"));
}

TEST(Network, IsWrittenAsItIsRead) {
  for (const std::string text :
       {"10.0.0.0/8", "10.1.2.3/32", "0.0.0.0/0", "::/0", "2001:db8::/32"}) {
    EXPECT_EQ(Network::parse(text)->to_string(), text);
  }
  EXPECT_EQ(Network::parse("10.1.2.3")->to_string(), "10.1.2.3/32");
  EXPECT_EQ(Network::parse("::1")->to_string(), "::1/128");
}

TEST(Network, HoldsWhatItsPrefixSays) {
  struct Row {
    const char* network;
    const char* inside;
    const char* outside;
  };
  for (const Row& row : {Row{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
                         {"10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
                         {"192.168.4.0/22", "192.168.7.255", "192.168.8.0"},
                         {"192.168.4.0/31", "192.168.4.1", "192.168.4.2"},
                         {"192.168.4.1/32", "192.168.4.1", "192.168.4.0"},
                         {"192.168.4.1", "192.168.4.1", "192.168.4.3"},
                         {"192.168.4.77/24", "192.168.4.1", "192.168.5.77"},
                         {"0.0.0.0/0", "203.0.113.9", "::1"},
                         {"::1/128", "::1", "::2"},
                         {"[::1]/128", "::1", "127.0.0.1"},
                         {"::1", "::1", "::"},
                         {"2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::"},
                         {"fe80::/10", "febf::1", "fec0::1"}}) {
    const auto network = Network::parse(row.network);
    ASSERT_TRUE(network) << row.network;
    EXPECT_TRUE(network->contains(address(row.inside))) << row.network << " " << row.inside;
    EXPECT_FALSE(network->contains(address(row.outside))) << row.network << " " << row.outside;
  }
}

TEST(Network, RefusesWhatIsNotOne) {
  for (const std::string text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ",
        "10.0.0.0/8/8", "10.0.0.0/x", "10.0.0.0/4294967304", "::/129", "10.0.0/8", "localhost/8"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(Network, TheErrorOfAListNamesTheMalformedOne) {
  const auto parsed = parse_networks({"10.0.0.0/8", "10.0.0.0/99", "::1"});
  ASSERT_FALSE(parsed);
  EXPECT_NE(parsed.error().message.find("'10.0.0.0/99'"), std::string::npos);
  EXPECT_EQ(networks({"10.0.0.0/8", "::1"}).size(), 2U);
  EXPECT_TRUE(networks({}).empty());
  EXPECT_TRUE(any_contains(networks({"10.0.0.0/8", "::1"}), address("::1")));
  EXPECT_FALSE(any_contains(networks({"10.0.0.0/8"}), address("::1")));
  EXPECT_FALSE(any_contains({}, address("::1")));
}

TEST(ClientAddress, IsTheLastHopThatIsNoTrustedProxy) {
  const auto trusted = networks({"10.0.0.0/8", "::1", "2001:db8::/32"});
  struct Row {
    const char* why;
    const char* peer;
    const char* forwarded;
    const char* client;
  };
  for (const Row& row : {
           Row{"no header", "10.0.0.1", "", "10.0.0.1"},
           {"a stranger's header does not count", "203.0.113.9", "1.1.1.1", "203.0.113.9"},
           {"one proxy", "10.0.0.1", "203.0.113.9", "203.0.113.9"},
           {"a chain of proxies", "10.0.0.1", "203.0.113.9, 10.0.0.3, 10.0.0.2", "203.0.113.9"},
           {"forged before the real one", "10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"},
           {"a forged proxy before it", "10.0.0.1", "1.1.1.1, 10.0.0.9, 203.0.113.9",
            "203.0.113.9"},
           {"all are proxies: the first", "10.0.0.1", "10.0.0.3,10.0.0.2", "10.0.0.3"},
           {"spaces and tabs", "10.0.0.1", " \t203.0.113.9 \t,\t 10.0.0.2 ", "203.0.113.9"},
           {"IPv6", "::1", "2001:db9::5, 2001:db8::7", "2001:db9::5"},
           {"IPv6 in brackets", "::1", "[2001:db9::5]", "2001:db9::5"},
           {"IPv4 in its IPv6 form", "::ffff:10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"},
           {"malformed at the end", "10.0.0.1", "203.0.113.9, evil", "10.0.0.1"},
           {"malformed in the chain", "10.0.0.1", "203.0.113.9, evil, 10.0.0.2", "10.0.0.2"},
           {"with a port", "10.0.0.1", "203.0.113.9:1234", "203.0.113.9"},
           {"IPv6 with a port", "10.0.0.1", "[2001:db9::1]:443", "2001:db9::1"},
           {"proxies with ports", "10.0.0.1", "203.0.113.9:1, 10.0.0.2:65535", "203.0.113.9"},
           {"IPv6 that ends like a port", "10.0.0.1", "2001:db9::1:443", "2001:db9::1:443"},
           {"no port behind the colon", "10.0.0.1", "203.0.113.9:", "10.0.0.1"},
           {"a port that is none", "10.0.0.1", "203.0.113.9:80a", "10.0.0.1"},
           {"too long a port", "10.0.0.1", "203.0.113.9:123456", "10.0.0.1"},
           {"a port without an address", "10.0.0.1", ":80", "10.0.0.1"},
           {"two ports", "10.0.0.1", "203.0.113.9:80:80", "10.0.0.1"},
           {"a name with a port", "10.0.0.1", "localhost:80", "10.0.0.1"},
           {"empty hops", "10.0.0.1", "203.0.113.9,", "10.0.0.1"},
           {"only a comma", "10.0.0.1", ",", "10.0.0.1"},
       }) {
    EXPECT_EQ(client_address(address(row.peer), row.forwarded, trusted).to_string(), row.client)
        << row.why;
  }
}

TEST(ClientAddress, NobodyIsTrustedByDefault) {
  EXPECT_EQ(client_address(address("127.0.0.1"), "1.1.1.1", {}), address("127.0.0.1"));
}

}  // namespace
}  // namespace rtc::net

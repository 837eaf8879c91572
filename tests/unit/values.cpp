// The value types of netlib: text in, text out, and what they refuse.
#include <random>

#include <doctest/doctest.h>

#include "netlib/base/result.h"
#include "netlib/values/if_name.h"
#include "netlib/values/ip_address.h"
#include "netlib/values/ip_prefix.h"
#include "netlib/values/mac_address.h"

#include "plugin/model/names.h"

using namespace netlib;

TEST_CASE("an address is printed in its canonical form") {
  const std::pair<const char*, const char*> texts[] = {{"10.42.0.1", "10.42.0.1"},
                                                       {"0.0.0.0", "0.0.0.0"},
                                                       {"255.255.255.255", "255.255.255.255"},
                                                       {"::", "::"},
                                                       {"::1", "::1"},
                                                       {"FD00:0042:0:0:0:0:0:1", "fd00:42::1"},
                                                       {"::ffff:10.1.2.3", "10.1.2.3"}};
  for (const auto& [text, canonical] : texts) {
    CAPTURE(text);
    REQUIRE(IpAddress::parse(text));
    CHECK(IpAddress::parse(text)->toString() == canonical);
  }
}

TEST_CASE("ambiguous text is not an address") {
  for (const char* text :
       {"", " ", "10.42.0", "10.42.0.1 ", " 10.42.0.1", "+10.42.0.1", "010.42.0.1", "10.42.0.01", "10.42.0.256",
        "10.42.0.1.", "10.42.0.1\n", "0x0a.1.1.1", "fe80::1%eth0", "::g", "1::2::3", "10.42.0.1/24"}) {
    CAPTURE(text);
    CHECK_FALSE(IpAddress::parse(text));
  }
  CHECK_FALSE(IpAddress::parse(std::string_view{"10.42.0.1\0x", 11}));
}

TEST_CASE("an address is the same after conversion to a number, bytes and text") {
  std::mt19937_64 random{7};
  for (int i = 0; i < 2000; ++i) {
    const Family family = i % 2 == 0 ? Family::Ipv4 : Family::Ipv6;
    const Uint128 any = Uint128{random()} << 64 | random();
    const IpAddress address = IpAddress::fromNumber(family, any);
    CHECK(IpAddress::fromNumber(family, address.number()) == address);
    CHECK(IpAddress::fromBytes(address.bytes()) == address);
    CHECK(IpAddress::parse(address.toString()) == address);
  }
  CHECK_FALSE(IpAddress::fromBytes(std::array<std::uint8_t, 5>{}));
}

TEST_CASE("the kinds of addresses are distinguished") {
  CHECK(IpAddress::parse("127.1.2.3")->isLoopback());
  CHECK(IpAddress::parse("::1")->isLoopback());
  CHECK_FALSE(IpAddress::parse("128.0.0.1")->isLoopback());
  CHECK(IpAddress::parse("224.0.0.1")->isMulticast());
  CHECK(IpAddress::parse("ff02::1")->isMulticast());
  CHECK_FALSE(IpAddress::parse("223.255.255.255")->isMulticast());
  CHECK(IpAddress::parse("169.254.1.1")->isLinkLocal());
  CHECK(IpAddress::parse("febf::1")->isLinkLocal());
  CHECK_FALSE(IpAddress::parse("fec0::1")->isLinkLocal());
  CHECK(IpAddress::parse("255.255.255.255")->isBroadcast());
  CHECK(IpAddress::unspecified(Family::Ipv6).isUnspecified());
}

TEST_CASE("addresses are ordered by family and then as numbers") {
  CHECK(*IpAddress::parse("9.255.255.255") < *IpAddress::parse("10.0.0.0"));
  CHECK(*IpAddress::parse("255.255.255.255") < *IpAddress::parse("::"));
}

TEST_CASE("a prefix of every length has its first and last address") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const IpAddress any =
        *IpAddress::parse(family == Family::Ipv4 ? "170.85.170.85" : "aaaa:5555:aaaa:5555:aaaa:5555:aaaa:5555");
    for (int length = 0; length <= bitsOf(family); ++length) {
      CAPTURE(length);
      const IpPrefix prefix = *IpPrefix::of(any, length);
      CHECK(prefix.contains(any));
      CHECK(prefix.contains(prefix.first()));
      CHECK(prefix.contains(prefix.last()));
      CHECK(prefix.network().first() == prefix.first());
      CHECK_FALSE(prefix.network().hasHostBits());
      CHECK(IpPrefix::parse(prefix.toString()) == prefix);
      if (length == 0) continue;
      const Uint128 size = prefix.last().number() - prefix.first().number() + 1;
      CHECK(size == Uint128{1} << (bitsOf(family) - length));
      CHECK_FALSE(prefix.contains(IpAddress::fromNumber(family, prefix.last().number() + 1)));
      CHECK_FALSE(prefix.contains(IpAddress::fromNumber(family, prefix.first().number() - 1)));
    }
    CHECK_FALSE(IpPrefix::of(any, bitsOf(family) + 1));
    CHECK_FALSE(IpPrefix::of(any, -1));
  }
}

TEST_CASE("a prefix length has one textual form only") {
  for (const char* text :
       {"10.0.0.0", "10.0.0.0/", "10.0.0.0/+24", "10.0.0.0/024", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/24 ",
        "10.0.0.0/2 4", "10.0.0.0/0x18", "10.0.0.0/24/24", "::/129", "::/1000", "/24"}) {
    CAPTURE(text);
    CHECK_FALSE(IpPrefix::parse(text));
  }
}

TEST_CASE("prefixes overlap where one holds the other") {
  const auto prefix = [](const char* text) { return *IpPrefix::parse(text); };
  CHECK(prefix("10.0.0.0/8").overlaps(prefix("10.1.2.0/24")));
  CHECK(prefix("10.1.2.0/24").overlaps(prefix("10.0.0.0/8")));
  CHECK_FALSE(prefix("10.1.2.0/24").overlaps(prefix("10.1.3.0/24")));
  CHECK_FALSE(prefix("0.0.0.0/0").overlaps(prefix("::/0")));
}

TEST_CASE("a MAC address is six pairs of hex digits") {
  CHECK(MacAddress::parse("C2:11:22:33:44:55")->toString() == "c2:11:22:33:44:55");
  CHECK(MacAddress::parse("c2-11-22-33-44-55")->toString() == "c2:11:22:33:44:55");
  for (const char* text : {"", "c2:11:22:33:44", "c2:11:22:33:44:5", "c2:11:22:33:44:55:66", "c2:11-22:33:44:55",
                           "g2:11:22:33:44:55", "c2:11:22:33:44:-5", "c2 11 22 33 44 55", "c2:+1:22:33:44:55"}) {
    CAPTURE(text);
    CHECK_FALSE(MacAddress::parse(text));
  }
  CHECK(MacAddress::parse("02:00:00:00:00:01")->isUsable());
  CHECK_FALSE(MacAddress::parse("01:00:5e:00:00:01")->isUsable());
  CHECK_FALSE(MacAddress::parse("00:00:00:00:00:00")->isUsable());
}

TEST_CASE("an interface name is what the kernel takes") {
  for (const char* text : {"eth0", "a", "fifteen-bytes-x", "br_1.100", "veth@x"}) CHECK(IfName::parse(text));
  for (const char* text :
       {"", ".", "..", "a/b", "a:b", "a b", "a\tb", "a\nb", "sixteen-bytes-xx", "a\x7f", "eth%d", "%", "a%b"}) {
    CAPTURE(text);
    CHECK_FALSE(IfName::parse(text));
  }
}

TEST_CASE("an id that could leave its directory is invalid") {
  using pons::ContainerId;
  for (const char* text : {"a", "cnitool-0123", "a.b_c-d", "0"}) CHECK(ContainerId::parse(text));
  for (const char* text : {"", "..", ".hidden", "../x", "a/b", "/abs", "-a", "_a", "a b", "a\n", "a:b", "\xc3\xa4"}) {
    CAPTURE(text);
    CHECK_FALSE(ContainerId::parse(text));
  }
  CHECK(ContainerId::parse(std::string(ContainerId::kMaxLength, 'a')));
  CHECK_FALSE(ContainerId::parse(std::string(ContainerId::kMaxLength + 1, 'a')));
}

TEST_CASE("TRY hands on the value, or returns the error") {
  const auto half = [](int number) -> Result<int> {
    if (number % 2 != 0) return fail(netlib::Cause::Invalid, "odd");
    return number / 2;
  };
  const auto quarter = [&](int number) -> Result<int> {
    const int once = TRY(half(number));
    return TRY(half(once));
  };
  CHECK(quarter(8).value() == 2);
  CHECK(quarter(6).failedWith(netlib::Cause::Invalid));
  CHECK_FALSE(quarter(8).failedWith(netlib::Cause::Invalid));
}

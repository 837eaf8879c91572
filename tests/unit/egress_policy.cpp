// Which packets of a container its egress policy lets pass.
#include <algorithm>

#include <doctest/doctest.h>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/prefix_sets.h"

#include "tests/support/attachments.h"

using namespace support;
using pons::EgressPolicy;
using pons::Protocol;
using pons::egress::permits;

namespace {

/// The prefixes of the elements of destinations, as the sets have them.
std::vector<netlib::IpPrefix> destinationsIn(const pons::Attachment& attachment, netlib::Family family) {
  std::vector<netlib::IpPrefix> prefixes;
  const auto elements = pons::egress::elementsOf(attachment, family);
  for (const int length : pons::prefix_sets::lengthsOf(family)) {
    const auto found = elements.find(pons::prefix_sets::nameOf(pons::egress::kTo, length));
    if (found == elements.end()) continue;
    for (const auto& element : found->second) {
      const auto size = static_cast<std::size_t>(netlib::bitsOf(family) / 8);
      const auto address = netlib::IpAddress::fromBytes(std::span{element.key}.last(size));
      prefixes.push_back(*netlib::IpPrefix::of(*address, length));
    }
  }
  return prefixes;
}

}  // namespace

TEST_CASE("A destination of any prefix length is in the sets of egress policies, and nothing beside it") {
  for (const char* text : {"172.21.200.77", "255.255.255.255", "0.0.0.0", "2001:db8:ffff:8421::77", "ff::"}) {
    const auto family = ip(text).family();
    for (int length = 0; length <= netlib::bitsOf(family); ++length) {
      const auto wanted = netlib::IpPrefix::of(ip(text), length)->network();
      CAPTURE(wanted.toString());
      auto attachment =
          attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}, {prefix("fd42::7/64"), ip("fd42::1")}});
      attachment.egress.emplace().destinations = {wanted};
      auto found = destinationsIn(attachment, family);
      // An IPv6 container has two source addresses, with the same elements each.
      std::ranges::sort(found);
      found.erase(std::ranges::unique(found).begin(), found.end());
      REQUIRE(!found.empty());
      CHECK(found.size() == std::size_t{1} << (8 - length % 8) % 8);  // of the next length that is divisible by 8
      CHECK(found.front().first() == wanted.first());
      CHECK(found.back().last() == wanted.last());
      for (std::size_t i = 1; i < found.size(); ++i) {
        CHECK(found[i].first().number() == found[i - 1].last().number() + 1);
      }
    }
  }
}

TEST_CASE("An egress policy permits its destinations, with its ports if it has any, and DNS to its servers") {
  EgressPolicy policy{.destinations = {prefix("192.0.2.0/24"), prefix("2001:db8::/32")},
                      .tcpPorts = {},
                      .udpPorts = {},
                      .nameservers = {ip("10.42.0.1")}};
  for (const char* inside : {"192.0.2.7", "2001:db8::7"}) {
    CHECK(permits(policy, {ip(inside)}));
    CHECK(permits(policy, {ip(inside), Protocol::Sctp, 80}));
  }
  for (const char* outside : {"198.51.100.7", "2001:db9::7", "10.42.0.1"}) {
    CHECK_FALSE(permits(policy, {ip(outside)}));
    CHECK_FALSE(permits(policy, {ip(outside), Protocol::Tcp, 443}));
  }
  CHECK(permits(policy, {ip("10.42.0.1"), Protocol::Udp, 53}));
  CHECK(permits(policy, {ip("10.42.0.1"), Protocol::Tcp, 53}));
  CHECK_FALSE(permits(policy, {ip("10.42.0.2"), Protocol::Udp, 53}));

  policy.tcpPorts = {443, 8443};
  CHECK(permits(policy, {ip("192.0.2.7"), Protocol::Tcp, 8443}));
  CHECK_FALSE(permits(policy, {ip("192.0.2.7"), Protocol::Tcp, 80}));
  CHECK_FALSE(permits(policy, {ip("192.0.2.7"), Protocol::Udp, 443}));
  CHECK_FALSE(permits(policy, {ip("192.0.2.7")}));
  policy.udpPorts = {443};
  CHECK(permits(policy, {ip("192.0.2.7"), Protocol::Udp, 443}));
  CHECK_FALSE(permits(EgressPolicy{}, {ip("192.0.2.7")}));
}

// Which packets of a container its egress policy lets pass.
#include <doctest/doctest.h>

#include "plugin/firewall/egress_table.h"

#include "tests/support/attachments.h"

using namespace support;
using pons::EgressPolicy;
using pons::Protocol;
using pons::egress::permits;

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

#include "netlib/announce.h"

#include <optional>

#include <doctest/doctest.h>
#include <net/if.h>

#include "netlib/netns.h"

#include "tests/support/fake_host.h"

using namespace support;
using netlib::Announcer;
using netlib::IpAddress;
using netlib::MacAddress;

namespace {

const MacAddress kOldMac = MacAddress::parse("02:00:00:00:00:aa").value();
const MacAddress kMac = MacAddress::parse("02:00:00:00:00:bb").value();

// The host with "v0" (10.1.1.1, 2001:db8::1) joined to eth0 in c1.
std::string addContainer(FakeHost& host) {
  const std::string path = host.addNamespace("c1");
  outputOf({"ip", "link", "add", "v0", "up", "type", "veth", "peer", "name", "eth0", "netns", "c1"});
  outputOf({"ip", "addr", "add", "10.1.1.1/24", "dev", "v0"});
  outputOf({"ip", "addr", "add", "2001:db8::1/64", "dev", "v0", "nodad"});
  outputOf({"ip", "-n", "c1", "link", "set", "eth0", "up"});
  return path;
}

Announcer openIn(const std::string& path, const char* interface) {
  const auto netns = netlib::Netns::open(path);
  return netns->inside([&] { return Announcer::open(if_nametoindex(interface)); }).value();
}

// As after a container that had the address before.
void rememberOldMac(const std::string& address) {
  outputOf({"ip", "neigh", "replace", address, "lladdr", kOldMac.toString(), "dev", "v0", "nud", "stale"});
}

std::string neighbour(const std::string& address) { return outputOf({"ip", "neigh", "show", address, "dev", "v0"}); }

}  // namespace

TEST_CASE("An announcement replaces what the neighbours remember, in both families") {
  REQUIRE_FAKE_HOST(host);
  const Announcer announcer = openIn(addContainer(host), "eth0");
  for (const std::string address : {"10.1.1.7", "2001:db8::7"}) {
    CAPTURE(address);
    rememberOldMac(address);
    REQUIRE(neighbour(address).find(kOldMac.toString()) != std::string::npos);
    REQUIRE(announcer.announce(kMac, IpAddress::parse(address).value()).ok());
    CHECK(neighbour(address).find(kMac.toString()) != std::string::npos);
  }
}

TEST_CASE("An interface that is down or gone is told, with the address") {
  REQUIRE_FAKE_HOST(host);
  const std::string path = addContainer(host);
  const Announcer announcer = openIn(path, "eth0");
  const IpAddress address = IpAddress::parse("10.1.1.7").value();

  outputOf({"ip", "-n", "c1", "link", "set", "eth0", "down"});
  const auto down = announcer.announce(kMac, address);
  REQUIRE(down.failedWith(ENETDOWN));
  CHECK(down.error().message.find("10.1.1.7") != std::string::npos);

  outputOf({"ip", "link", "del", "v0"});
  CHECK(announcer.announce(kMac, address).failedWith(ENXIO));
}

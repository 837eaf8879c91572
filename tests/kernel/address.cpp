#include "netlib/rtnl/address.h"

#include <algorithm>
#include <cstdio>

#include <doctest/doctest.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/utsname.h>

#include "netlib/rtnl/link.h"

#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"

using namespace support;
using netlib::Batch;
using netlib::Family;
using netlib::Socket;
namespace address = netlib::address;

namespace {

struct AddressBench {
  Socket route = Socket::open(Socket::Subsystem::Route).value();
  unsigned index;

  AddressBench() {
    outputOf({"ip", "link", "add", "br0", "up", "type", "bridge"});
    index = netlib::link::find(route, netlib::IfName::parse("br0").value())->index;
  }
  netlib::Result<> add(const std::string& text) {
    Batch batch;
    address::appendAdd(batch, index, prefix(text), address::DuplicateDetection::Off);
    TRY(route.request(batch));
    return {};
  }
  netlib::Result<> remove(const std::string& text) {
    Batch batch;
    address::appendRemove(batch, index, prefix(text));
    TRY(route.request(batch));
    return {};
  }
};

/// IFA_PROTO is of Linux 5.18: older kernels ignore it, and no address bears our mark.
bool hasProtocols() {
  utsname kernel{};
  REQUIRE(uname(&kernel) == 0);
  int major = 0, minor = 0;
  REQUIRE(std::sscanf(kernel.release, "%d.%d", &major, &minor) == 2);
  return std::pair{major, minor} >= std::pair{5, 18};
}

}  // namespace

TEST_CASE("Addresses of any length are added, listed and removed again") {
  REQUIRE_FAKE_HOST(host);
  AddressBench bench;
  const std::string before = host.dump();
  for (const std::string text :
       {"10.1.0.1/24", "10.1.0.1/8", "10.1.0.1/30", "10.1.0.1/31", "10.1.0.1/32", "fd01::1/64", "fd01::1/128"}) {
    CAPTURE(text);
    REQUIRE(bench.add(text).ok());
    CHECK(bench.add(text).failedWith(EEXIST));
    const auto listed = address::list(bench.route, prefix(text).family(), bench.index).value();
    const auto found = std::ranges::find(listed, prefix(text), &address::InterfaceAddress::prefix);
    REQUIRE(found != listed.end());
    CHECK(found->index == bench.index);
    REQUIRE(bench.remove(text).ok());
    CHECK(bench.remove(text).failedWith(EADDRNOTAVAIL));
    CHECK(host.dump() == before);
  }
}

TEST_CASE("Our addresses have our protocol mark, others do not; broadcast and NODAD are set") {
  REQUIRE_FAKE_HOST(host);
  AddressBench bench;
  const bool keepsMarks = hasProtocols();
  REQUIRE(bench.add("10.1.0.1/24").ok());
  outputOf({"ip", "addr", "add", "10.2.0.1/24", "dev", "br0"});
  for (const auto& each : address::list(bench.route, Family::Ipv4, bench.index).value()) {
    CHECK(each.own == (keepsMarks && each.prefix == prefix("10.1.0.1/24")));
  }
  CHECK(outputOf({"ip", "addr", "show", "br0"}).find("10.1.0.1/24 brd 10.1.0.255") != std::string::npos);
  REQUIRE(bench.add("fd01::1/64").ok());
  CHECK(outputOf({"ip", "addr", "show", "br0"}).find("fd01::1/64 scope global nodad") != std::string::npos);
}

TEST_CASE("The list of one link has no other link's addresses, and a deleted link is an error") {
  REQUIRE_FAKE_HOST(host);
  AddressBench bench;
  CHECK(address::list(bench.route, Family::Ipv4, bench.index).value().empty());
  const auto all = address::list(bench.route, Family::Ipv4).value();
  REQUIRE(all.size() == 1);
  CHECK(all.front().prefix == prefix("127.0.0.1/8"));
  bench.index = 4711;
  CHECK(bench.add("10.1.0.1/24").failedWith(ENODEV));
}

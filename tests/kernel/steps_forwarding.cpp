// Forwarding: on while it is needed, and as it was afterwards.
#include <fstream>

#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "plugin/steps/steps.h"

#include "tests/support/differences.h"
#include "tests/support/plan_cases.h"

using namespace support;
using netlib::Family;
namespace sysctl = netlib::sysctl;

namespace {

constexpr const char* kIpv4 = "net/ipv4/ip_forward";
constexpr const char* kIpv6 = "net/ipv6/conf/all/forwarding";

std::string value(const std::string& name) { return sysctl::read(name).value(); }
void set(const std::string& name, const std::string& to) { REQUIRE(sysctl::write(name, to).ok()); }

constexpr const char* switchOf(Family family) { return family == Family::Ipv4 ? kIpv4 : kIpv6; }

}  // namespace

TEST_CASE("Forwarding that was on before stays on, and nothing is remembered") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    REQUIRE_FAKE_HOST(fake);
    set(switchOf(family), "1");
    pons::Host host = openHost();
    const std::string before = fake.dump() + dumpLedger();
    const auto step = pons::ipForwardingEnabled(family);
    REQUIRE(step->apply(host).ok());
    CHECK(host.ledger.savedOriginals(step->sharedState())->empty());
    REQUIRE(step->undo(host).ok());
    CHECK(difference(before, fake.dump() + dumpLedger()) == "");
  }
}

TEST_CASE("A truncated file of original sysctl values makes neither ADD nor DEL fail") {
  for (const std::string content :
       {"", "{", "{\"net/ipv4/ip_forward\": ", "null", "[]", "{\"net/ipv4/ip_forward\": 7}"}) {
    CAPTURE(content);
    REQUIRE_FAKE_HOST(fake);
    fake.addNamespace("c1");
    const Runtime runtime{minimalConfig()};
    REQUIRE(runtime.add("c1").ok());
    std::ofstream{"/run/pons/originals/forwarding-ipv4.json", std::ios::trunc} << content;
    fake.addNamespace("c2");
    REQUIRE(runtime.add("c2").ok());
    CHECK(runtime.del("c2").ok());
    const auto gone = runtime.del("c1");
    CHECK_MESSAGE(gone.ok(), (gone ? "" : gone.error().message));
    CHECK(dumpLedger() == "");
    REQUIRE(runtime.add("c1").ok());
    CHECK(runtime.del("c1").ok());
  }
}

TEST_CASE("The next ADD enables forwarding that was disabled meanwhile") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    REQUIRE_FAKE_HOST(fake);
    pons::Host host = openHost();
    const auto step = pons::ipForwardingEnabled(family);
    REQUIRE(step->apply(host).ok());
    set(switchOf(family), "0");
    REQUIRE(differencesOf(*step, host) != "");
    REQUIRE(step->apply(host).ok());
    CHECK(value(switchOf(family)) == "1");
    CHECK(differencesOf(*step, host) == "");
    REQUIRE(step->undo(host).ok());
    CHECK(value(switchOf(family)) == "0");
  }
}

TEST_CASE("Forwarding stays on for a foreign bridge created meanwhile, and not for one created before") {
  for (const bool before : {true, false}) {
    CAPTURE(before);
    REQUIRE_FAKE_HOST(fake);
    pons::Host host = openHost();
    const auto step = pons::ipForwardingEnabled(Family::Ipv4);
    if (before) outputOf({"ip", "link", "add", "docker0", "type", "bridge"});
    REQUIRE(step->apply(host).ok());
    if (!before) outputOf({"ip", "link", "add", "docker0", "type", "bridge"});
    REQUIRE(step->undo(host).ok());
    CHECK(value(kIpv4) == (before ? "0" : "1"));
    CHECK(host.ledger.savedOriginals(step->sharedState())->empty());
  }
}

TEST_CASE("Only the last reference restores forwarding, however often each is released") {
  REQUIRE_FAKE_HOST(fake);
  fake.addNamespace("c1");
  fake.addNamespace("c2");
  const Runtime runtime{minimalConfig()};
  REQUIRE(runtime.add("c1").ok());
  REQUIRE(runtime.add("c2").ok());
  for (int i = 0; i < 3; ++i) {
    REQUIRE(runtime.del("c1").ok());
    CHECK(value(kIpv4) == "1");
  }
  REQUIRE(runtime.del("c2").ok());
  CHECK(value(kIpv4) == "0");
}

TEST_CASE("The original forwarding value saved by a killed ADD is restored, whether forwarding was enabled or not") {
  for (const bool switchedOn : {true, false}) {
    CAPTURE(switchedOn);
    REQUIRE_FAKE_HOST(fake);
    outputOf({"ip", "link", "add", "ra0", "type", "bridge"});
    pons::Host host = openHost();
    const std::string before = fake.dump();
    const auto step = pons::ipForwardingEnabled(Family::Ipv6);
    REQUIRE(step->apply(host).ok());
    // As if it had been killed between the links and the switch.
    if (!switchedOn) set(kIpv6, "0");
    if (!switchedOn) set("net/ipv6/conf/ra0/accept_ra", "2");
    REQUIRE(pons::ipForwardingEnabled(Family::Ipv6)->undo(host).ok());
    CHECK(difference(before, fake.dump()) == "");
  }
}

TEST_CASE("Forwarding and accept_redirects set by the administrator are restored on every interface") {
  REQUIRE_FAKE_HOST(fake);
  outputOf({"ip", "link", "add", "dm0", "type", "bridge"});
  outputOf({"ip", "link", "add", "dm.1", "type", "bridge"});
  set("net/ipv4/conf/dm0/forwarding", "1");
  set("net/ipv6/conf/dm.1/forwarding", "1");
  set("net/ipv4/conf/all/accept_redirects", "1");
  const std::string before = fake.dump();
  pons::Host host = openHost();
  for (const Family family : {Family::Ipv4, Family::Ipv6}) REQUIRE(pons::ipForwardingEnabled(family)->apply(host).ok());
  CHECK(value("net/ipv4/conf/lo/forwarding") == "1");
  for (const Family family : {Family::Ipv6, Family::Ipv4}) REQUIRE(pons::ipForwardingEnabled(family)->undo(host).ok());
  CHECK(difference(before, fake.dump()) == "");
}

TEST_CASE("A link that lives from router advertisements keeps doing so, and others are left alone") {
  REQUIRE_FAKE_HOST(fake);
  outputOf({"ip", "link", "add", "ra1", "type", "bridge"});
  outputOf({"ip", "link", "add", "ra0", "type", "bridge"});
  set("net/ipv6/conf/ra1/accept_ra", "1");
  set("net/ipv6/conf/ra0/accept_ra", "0");
  pons::Host host = openHost();
  const auto step = pons::ipForwardingEnabled(Family::Ipv6);
  REQUIRE(step->apply(host).ok());
  CHECK(value("net/ipv6/conf/ra1/accept_ra") == "2");
  CHECK(value("net/ipv6/conf/ra0/accept_ra") == "0");
  REQUIRE(step->undo(host).ok());
  CHECK(value("net/ipv6/conf/ra1/accept_ra") == "1");
  CHECK(value("net/ipv6/conf/ra0/accept_ra") == "0");
}

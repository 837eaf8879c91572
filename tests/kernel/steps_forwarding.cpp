// Forwarding: on while it is needed, and as it was afterwards.
#include <fstream>

#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "plugin/steps/forwarding_held.h"

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
    const pons::ForwardingHeld step{family};
    REQUIRE(step.apply(host).ok());
    CHECK(host.ledger.remembered(step.hold())->empty());
    REQUIRE(step.undo(host).ok());
    CHECK(difference(before, fake.dump() + dumpLedger()) == "");
  }
}

TEST_CASE("W40: a torn file of originals breaks neither ADD nor DEL") {
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

TEST_CASE("W41: forwarding that somebody switched off is switched on by the next ADD") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    REQUIRE_FAKE_HOST(fake);
    pons::Host host = openHost();
    const pons::ForwardingHeld step{family};
    REQUIRE(step.apply(host).ok());
    set(switchOf(family), "0");
    REQUIRE(step.verify(host).failedWith(pons::kBroken));
    REQUIRE(step.apply(host).ok());
    CHECK(value(switchOf(family)) == "1");
    CHECK(step.verify(host).ok());
    REQUIRE(step.undo(host).ok());
    CHECK(value(switchOf(family)) == "0");
  }
}

TEST_CASE("W42: forwarding stays on for a bridge that somebody else has made meanwhile, and not for one from before") {
  for (const bool before : {true, false}) {
    CAPTURE(before);
    REQUIRE_FAKE_HOST(fake);
    pons::Host host = openHost();
    const pons::ForwardingHeld step{Family::Ipv4};
    if (before) outputOf({"ip", "link", "add", "docker0", "type", "bridge"});
    REQUIRE(step.apply(host).ok());
    if (!before) outputOf({"ip", "link", "add", "docker0", "type", "bridge"});
    REQUIRE(step.undo(host).ok());
    CHECK(value(kIpv4) == (before ? "0" : "1"));
    CHECK(host.ledger.remembered(step.hold())->empty());
  }
}

TEST_CASE("W43: forwarding is restored by the last holder alone, however often each leaves") {
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

TEST_CASE("W44: what a killed ADD remembered, and switched on or not, is restored") {
  for (const bool switchedOn : {true, false}) {
    CAPTURE(switchedOn);
    REQUIRE_FAKE_HOST(fake);
    outputOf({"ip", "link", "add", "ra0", "type", "bridge"});
    pons::Host host = openHost();
    const std::string before = fake.dump();
    const pons::ForwardingHeld step{Family::Ipv6};
    REQUIRE(step.apply(host).ok());
    // As if it had been killed between the links and the switch.
    if (!switchedOn) set(kIpv6, "0");
    if (!switchedOn) set("net/ipv6/conf/ra0/accept_ra", "2");
    REQUIRE(pons::ForwardingHeld{Family::Ipv6}.undo(host).ok());
    CHECK(difference(before, fake.dump()) == "");
  }
}

TEST_CASE("W45: the admin's own forwarding and redirects are as before, on every interface") {
  REQUIRE_FAKE_HOST(fake);
  outputOf({"ip", "link", "add", "dm0", "type", "bridge"});
  outputOf({"ip", "link", "add", "dm.1", "type", "bridge"});
  set("net/ipv4/conf/dm0/forwarding", "1");
  set("net/ipv6/conf/dm.1/forwarding", "1");
  set("net/ipv4/conf/all/accept_redirects", "1");
  const std::string before = fake.dump();
  pons::Host host = openHost();
  for (const Family family : {Family::Ipv4, Family::Ipv6}) REQUIRE(pons::ForwardingHeld{family}.apply(host).ok());
  CHECK(value("net/ipv4/conf/lo/forwarding") == "1");
  for (const Family family : {Family::Ipv6, Family::Ipv4}) REQUIRE(pons::ForwardingHeld{family}.undo(host).ok());
  CHECK(difference(before, fake.dump()) == "");
}

TEST_CASE("A link that lives from router advertisements keeps doing so, and others are left alone") {
  REQUIRE_FAKE_HOST(fake);
  outputOf({"ip", "link", "add", "ra1", "type", "bridge"});
  outputOf({"ip", "link", "add", "ra0", "type", "bridge"});
  set("net/ipv6/conf/ra1/accept_ra", "1");
  set("net/ipv6/conf/ra0/accept_ra", "0");
  pons::Host host = openHost();
  const pons::ForwardingHeld step{Family::Ipv6};
  REQUIRE(step.apply(host).ok());
  CHECK(value("net/ipv6/conf/ra1/accept_ra") == "2");
  CHECK(value("net/ipv6/conf/ra0/accept_ra") == "0");
  REQUIRE(step.undo(host).ok());
  CHECK(value("net/ipv6/conf/ra1/accept_ra") == "1");
  CHECK(value("net/ipv6/conf/ra0/accept_ra") == "0");
}

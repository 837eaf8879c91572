// Whose the gateway's address on a bridge is: with its last reference pons removes what pons has added, and nothing
// else. A kernel before 5.18 has no mark (IFA_PROTO) on addresses; an address that was added again without one is the
// same.
#include <doctest/doctest.h>

#include "tests/kernel/shared_states.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::Verb;

namespace {

struct Gateway {
  std::string ipam;
  std::string address;  ///< with prefix length
};

const std::vector<Gateway> kGateways{{R"("ipam": {"subnet": "10.70.0.0/24"})", "10.70.0.1/24"},
                                     {R"("ipam": {"subnet": "fd70::/64"})", "fd70::1/64"}};

bool isOn(const std::string& bridge, const std::string& address) {
  return contains(shown({"ip", "-o", "addr", "show", "dev", bridge}), address);
}

void addAddress(const std::string& bridge, const std::string& address) {
  const bool isIpv4 = address.find(':') == std::string::npos;
  std::vector<std::string> command{"ip", "addr", "add", address, "dev", bridge};
  command.insert(command.end(),
                 isIpv4 ? std::initializer_list<std::string>{"brd", "+"} : std::initializer_list<std::string>{"nodad"});
  outputOf(command);
}

void removeMark(const std::string& bridge, const std::string& address) {
  outputOf({"ip", "addr", "del", address, "dev", bridge});
  addAddress(bridge, address);
}

/// One of the administrator's.
void addPort(const std::string& bridge) {
  outputOf({"ip", "link", "add", "port0", "type", "veth", "peer", "name", "port1"});
  outputOf({"ip", "link", "set", "port0", "up", "master", bridge});
}

std::string network(const std::string& name, const std::string& bridge, const std::string& ipam) {
  return R"({"cniVersion": "1.1.0", "name": ")" + name + R"(", "type": "pons", "bridge": ")" + bridge + "\", " + ipam +
         "}";
}

}  // namespace

TEST_CASE("On a bridge of others the gateway's address goes with the last container, whatever the kernel knows of it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::vector<std::vector<std::string>> orders{{"c1", "c2", "c3"}, {"c3", "c1", "c2"}, {"c2", "c3", "c1"}};
  for (const auto& order : orders) {
    for (const Gateway& gateway : kGateways) {
      for (const std::size_t unmarkedBefore : {std::size_t{0}, std::size_t{2}}) {
        CAPTURE(gateway.address);
        CAPTURE(order.front());
        CAPTURE(unmarkedBefore);
        REQUIRE_FAKE_HOST(host);
        outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
        addPort("br-admin");
        for (const std::string& name : order) host.addNamespace(name);
        const std::string before = dumpAll(host);
        const Runtime runtime{network("demo", "br-admin", gateway.ipam)};
        for (const char* name : {"c1", "c2", "c3"}) REQUIRE(runtime.add(name).ok());
        for (std::size_t i = 0; i < order.size(); ++i) {
          CHECK(isOn("br-admin", gateway.address));
          if (i == unmarkedBefore) removeMark("br-admin", gateway.address);
          REQUIRE(runtime.del(order[i]).ok());
        }
        CHECK(difference(before, dumpAll(host)) == "");
      }
    }
  }
}

TEST_CASE("An address that the owner of the bridge had set before stays, whichever network comes and goes") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Gateway& gateway : kGateways) {
    for (const bool firstEndsFirst : {true, false}) {
      CAPTURE(gateway.address);
      CAPTURE(firstEndsFirst);
      REQUIRE_FAKE_HOST(host);
      outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
      addAddress("br-admin", gateway.address);
      addPort("br-admin");
      for (const char* name : {"c1", "c2"}) host.addNamespace(name);
      const std::string before = dumpAll(host);
      const Runtime first{network("one", "br-admin", gateway.ipam)};
      for (int round = 1; round <= 2; ++round) {
        for (const char* name : {"c1", "c2"}) REQUIRE(first.add(name).ok());
        for (const char* name : {firstEndsFirst ? "c1" : "c2", firstEndsFirst ? "c2" : "c1"}) {
          CHECK(isOn("br-admin", gateway.address));
          REQUIRE(first.del(name).ok());
        }
        CHECK(difference(before, dumpAll(host)) == "");
      }
    }
  }
}

TEST_CASE("Whose an address on pons' own bridge is: the network's, or the administrator's who had set it before") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Gateway& gateway : kGateways) {
    for (const bool wasThere : {false, true}) {
      CAPTURE(gateway.address);
      CAPTURE(wasThere);
      REQUIRE_FAKE_HOST(host);
      for (const char* name : {"c1", "c2", "c3"}) host.addNamespace(name);
      const std::string empty = dumpAll(host);
      const Runtime first{minimalConfig()};
      const Runtime second{network("two", "pons0", gateway.ipam)};
      REQUIRE(first.add("c1").ok());
      if (wasThere) addAddress("pons0", gateway.address);
      const std::string before = dumpAll(host);
      for (const char* name : {"c2", "c3"}) REQUIRE(second.add(name).ok());
      if (!wasThere) removeMark("pons0", gateway.address);
      for (const char* name : {"c2", "c3"}) {
        CHECK(isOn("pons0", gateway.address));
        REQUIRE(second.del(name).ok());
      }
      CHECK(difference(before, dumpAll(host)) == "");
      REQUIRE(first.del("c1").ok());
      CHECK(difference(empty, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("A failed ADD removes the gateway's address that it has added, beside other ports and without a mark") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Gateway& gateway : kGateways) {
    for (const bool isForeign : {false, true}) {
      for (const bool hasPort : {false, true}) {
        CAPTURE(gateway.address);
        CAPTURE(isForeign);
        CAPTURE(hasPort);
        REQUIRE_FAKE_HOST(host);
        const std::string bridge = isForeign ? "br-admin" : "pons0";
        for (const char* name : {"c1", "c2"}) host.addNamespace(name);
        // With a port of others on pons' bridge it stays on.
        outputOf({"sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"});
        if (isForeign) outputOf({"ip", "link", "add", bridge, "up", "type", "bridge"});
        const Runtime first{network("one", bridge, R"("ipam": {"subnet": "10.42.0.0/24"})")};
        const auto added = first.add("c1");
        REQUIRE(added.ok());
        if (hasPort) addPort(bridge);
        const std::string before = dumpAll(host);
        const auto request = Runtime{network("two", bridge, gateway.ipam)}.request(Verb::Add, "c2");
        int withAddress = 0;
        constexpr std::size_t kSome = 3;
        for (std::size_t position = 1, count = stepCount(request); position <= count; position += kSome) {
          CAPTURE(position);
          const auto failed = addWith(request, [&](std::size_t step, pons::Host&) -> netlib::Result<> {
            if (step != position) return {};
            if (isOn(bridge, gateway.address)) {
              removeMark(bridge, gateway.address);
              ++withAddress;
            }
            return netlib::fail(netlib::Cause::Internal, "the test fails this ADD");
          });
          REQUIRE(!failed.ok());
          CHECK(difference(before, dumpAll(host)) == "");
        }
        CHECK(withAddress > 0);
        CHECK(first.check("c1", *added).ok());
        REQUIRE(first.del("c1").ok());
      }
    }
  }
}

TEST_CASE("A gateway's address that was lost and came back with a later ADD goes with the last container") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Gateway& gateway : kGateways) {
    for (const std::string bridge : {"br-admin", "br-owned"}) {
      CAPTURE(gateway.address);
      CAPTURE(bridge);
      REQUIRE_FAKE_HOST(host);
      for (const char* name : {"c1", "c2", "c3"}) host.addNamespace(name);
      const bool isForeign = bridge == "br-admin";
      if (isForeign) outputOf({"ip", "link", "add", bridge, "up", "type", "bridge"});
      const Runtime other{network("other", bridge, R"("ipam": {"subnet": "10.42.0.0/24"})")};
      REQUIRE(other.add("c3").ok());
      if (isForeign) addAddress(bridge, gateway.address);  // the owner's, for a while
      const Runtime runtime{network("demo", bridge, gateway.ipam)};
      REQUIRE(runtime.add("c1").ok());
      outputOf({"ip", "addr", "del", gateway.address, "dev", bridge});
      REQUIRE(runtime.add("c2").ok());
      CHECK(isOn(bridge, gateway.address));
      removeMark(bridge, gateway.address);
      REQUIRE(runtime.del("c1").ok());
      CHECK(isOn(bridge, gateway.address));
      REQUIRE(runtime.del("c2").ok());
      CHECK(!isOn(bridge, gateway.address));
      REQUIRE(other.del("c3").ok());
    }
  }
}

// VLANs where the kernel cannot filter them. Where it can: tests/kernels/guest/vlan*.sh.
#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"
#include "tests/support/text.h"
#include "tests/support/vlans.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

struct Wish {
  std::string members;
  std::string key;
};

const std::vector<Wish> kWishes{{R"("vlan": 7)", "\"vlan\""},
                                {R"("vlan": 4094, "preserveDefaultVlan": false)", "\"vlan\""},
                                {R"("vlan": 100, "isGateway": false)", "\"vlan\""},
                                {R"("vlanTrunk": [{"id": 7}])", "\"vlanTrunk\""},
                                {R"("vlanTrunk": [{"minID": 1, "maxID": 4094}])", "\"vlanTrunk\""}};

const std::string kSubnet = R"("ipam": {"subnet": "10.42.0.0/24"}, )";

}  // namespace

TEST_CASE("Code 2: VLANs on a kernel that cannot filter them, with the option's name, and the host is unchanged") {
  REQUIRE_FAKE_HOST(host);
  if (kernelFiltersVlans()) return FakeHost::countSkip("the kernel filters VLANs");
  host.addNamespace("c1");
  shell("ip link add br-admin up type bridge");
  for (const Wish& wish : kWishes) {
    for (const std::string bridge : {"pons0", "br-admin"}) {
      CAPTURE(wish.members);
      CAPTURE(bridge);
      const Unchanged unchanged{host};
      const std::string config = configOf("1.1.0", kSubnet + wish.members + R"(, "bridge": ")" + bridge + "\"");
      checkError(add(config), ErrorCode::UnsupportedField, {wish.key, "CONFIG_BRIDGE_VLAN_FILTERING"});
      checkSilent(del(config));
    }
  }
}

TEST_CASE("A refused VLAN leaves the other containers of the bridge as they are") {
  REQUIRE_FAKE_HOST(host);
  if (kernelFiltersVlans()) return FakeHost::countSkip("the kernel filters VLANs");
  Network network{"demo", kSubnet + R"("ingressPolicy": "isolated")"};
  network.attach(host, "c1");
  network.attach(host, "c2");
  host.addNamespace("c3");
  for (const Wish& wish : kWishes) {
    CAPTURE(wish.members);
    const Unchanged unchanged{host};
    const std::string config =
        configOf("1.1.0", R"("bridge": "pons-demo", "ipam": {"subnet": "10.50.0.0/24"}, )" + wish.members);
    checkError(add(config, {.container = "c3", .netns = "/run/netns/c3"}), ErrorCode::UnsupportedField, {wish.key});
  }
  network.checkAll();
  for (const char* container : {"c2", "c1"}) checkSilent(network.del(container));
}

TEST_CASE("Settings without a VLAN need nothing of the kernel") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  for (const std::string members :
       {R"("vlan": 0)", R"("vlanTrunk": [])", R"("vlanTrunk": [{}])", R"("preserveDefaultVlan": false)"}) {
    CAPTURE(members);
    const Unchanged unchanged{host};
    const std::string config = configOf("1.1.0", kSubnet + members);
    resultOf(add(config));
    CHECK(!contains(outputOf({"find", "/run/pons"}), "vlan"));
    checkSilent(del(config));
  }
}

// VLANs in the configuration, in names of links and of shared states, in requests to the kernel, and in a salvaged
// record.
#include <linux/if_bridge.h>
#include <linux/rtnetlink.h>

#include "plugin/context/port_vlans.h"
#include "plugin/engine/plan.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/ledger/salvage.h"
#include "plugin/model/shared_state.h"

#include "tests/support/attachments.h"
#include "tests/unit/decoded.h"

using namespace pons;
using namespace pons::test;
using netlib::VlanId;
using netlib::VlanRange;

namespace bridge_vlan = netlib::bridge_vlan;

namespace {

std::vector<VlanRange> trunkOf(const std::string& items) {
  const Config config = decoded(R"("vlanTrunk": [)" + items + "]");
  return config.vlans ? config.vlans->trunk : std::vector<VlanRange>{};
}

Attachment inVlan(PortVlans vlans) {
  Attachment attachment = support::attachmentOf(support::keyOf("c1"), {{net("10.42.0.7/24"), ip("10.42.0.1")}});
  attachment.vlans = std::move(vlans);
  return attachment;
}

/// "flags vid" of each VLAN in the request, and "self" where it is about the bridge.
std::vector<std::string> infosIn(const netlib::Batch& batch, std::size_t index) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&batch.message(index));
  const netlib::Message message{{bytes, batch.message(index).nlmsg_len}};
  const auto settings = message.attributes<ifinfomsg>().nested(IFLA_AF_SPEC);
  std::vector<std::string> infos;
  if (settings.structure<std::uint16_t>(IFLA_BRIDGE_FLAGS) == BRIDGE_FLAGS_SELF) infos.emplace_back("self");
  for (const auto payload : settings.all(IFLA_BRIDGE_VLAN_INFO)) {
    bridge_vlan_info info{};
    REQUIRE(payload.size() == sizeof info);
    std::memcpy(&info, payload.data(), sizeof info);
    infos.push_back(std::to_string(info.flags) + " " + std::to_string(info.vid));
  }
  return infos;
}

bool has(const std::vector<std::string>& states, const std::string& state) {
  return std::ranges::find(states, state) != states.end();
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("vlan is one VLAN, untagged; 0 is none") {
  CHECK_FALSE(decoded("").vlans);
  CHECK_FALSE(decoded(R"("vlan": 0, "vlanTrunk": [], "preserveDefaultVlan": false)").vlans);
  CHECK(decoded(R"("vlan": 1)").vlans == PortVlans{.untagged = 1});
  CHECK(decoded(R"("vlan": 4094, "preserveDefaultVlan": true)").vlans ==
        PortVlans{.untagged = 4094, .keepsDefault = true});
  for (const char* members : {R"("vlan": -1)", R"("vlan": 4095)", R"("vlan": "7")", R"("preserveDefaultVlan": "no")"}) {
    CAPTURE(members);
    CHECK(codeOf(members) == 7);
  }
}

TEST_CASE("vlanTrunk has single VLANs and ranges; what is twice or adjacent is one") {
  CHECK(trunkOf("") == std::vector<VlanRange>{});
  CHECK(trunkOf("{}") == std::vector<VlanRange>{});
  CHECK(trunkOf(R"({"id": 7})") == std::vector<VlanRange>{{7, 7}});
  CHECK(trunkOf(R"({"minID": 200, "maxID": 205}, {"id": 100})") == std::vector<VlanRange>{{100, 100}, {200, 205}});
  CHECK(trunkOf(R"({"id": 9, "minID": 1, "maxID": 4094})") == std::vector<VlanRange>{{1, 4094}});
  CHECK(trunkOf(R"({"id": 3}, {"id": 2}, {"id": 3}, {"minID": 4, "maxID": 8}, {"minID": 6, "maxID": 7}, {"id": 10})") ==
        std::vector<VlanRange>{{2, 8}, {10, 10}});
  for (const char* items :
       {R"({"id": 0})", R"({"id": 4095})", R"({"minID": 1})", R"({"maxID": 1})", "7", R"("7")",
        R"({"minID": 2, "maxID": 1})", R"({"minID": 0, "maxID": 1})", R"({"minID": 1, "maxID": 4095})"}) {
    CAPTURE(items);
    CHECK(codeOf(std::string{R"("vlanTrunk": [)"} + items + "]") == 7);
  }
  CHECK(decoded(R"("vlan": 5, "vlanTrunk": [{"id": 6}])").vlans == PortVlans{.untagged = 5, .trunk = {{6, 6}}});
  CHECK(decoded(R"("vlan": 5, "vlanTrunk": [])").vlans == PortVlans{.untagged = 5});
}

TEST_CASE("the name of the gateway's link has to fit") {
  CHECK(codeOf(R"("bridge": "elevenbytes", "vlan": 100)") == 0);
  CHECK(codeOf(R"("bridge": "twelve-bytes", "vlan": 100)") == 7);
  CHECK(codeOf(R"("bridge": "twelve-bytes", "vlan": 10)") == 0);
  CHECK(codeOf(R"("bridge": "twelve-bytes", "vlan": 100, "isGateway": false)") == 0);
  CHECK(codeOf(R"("bridge": "twelve-bytes", "vlanTrunk": [{"id": 100}])") == 0);
}

TEST_CASE("what is about IP packets names the gateway's link of the VLAN, the rest the bridge") {
  Attachment attachment = inVlan({.untagged = 100});
  attachment.acceptForward = attachment.internal = attachment.bridge.promiscuous = true;
  attachment.ingress = IngressPolicy::SameBridge;
  CHECK(routedLink(attachment).toString() == "pons0.100");
  const Texts states = sharedStatesOf(attachment);
  for (const char* state :
       {"bridge-pons0/demo", "promiscuous-pons0", "vlans-pons0", "vlan-pons0.100", "gateway-pons0.100-10.42.0.1/24",
        "internal-pons0.100", "ingress-pons0.100/same-bridge", "forward-pons0/-", "forward-pons0.100/-"}) {
    CHECK_MESSAGE(has(states, state), state);
  }
  attachment.bridge.gateway = false;
  CHECK(routedLink(attachment).toString() == "pons0");
  CHECK(has(sharedStatesOf(attachment), "vlans-pons0"));
  CHECK_FALSE(has(sharedStatesOf(attachment), "vlan-pons0"));
  for (const auto& other : {inVlan({.trunk = {{5, 9}}}), inVlan({})}) {
    CHECK(routedLink(other).toString() == "pons0");
    CHECK(has(sharedStatesOf(other), "gateway-pons0-10.42.0.1/24"));
  }
}

TEST_CASE("without VLANs no step and no state of theirs is there") {
  Attachment attachment = inVlan({});
  attachment.vlans.reset();
  for (const std::string& state : sharedStatesOf(attachment)) CHECK_FALSE(state.starts_with("vlan"));
  for (const auto& step : planFor(attachment)) CHECK(step->name().find("VLAN") == std::string::npos);
}

TEST_CASE(
    "the steps of a VLAN are behind the bridge, its gateway's link before the address, its port behind the veth") {
  const Attachment attachment = inVlan({.untagged = 100});
  Texts names;
  for (const auto& step : planFor(attachment)) names.push_back(step->name());
  const auto at = [&names](const std::string& name) {
    return std::ranges::find_if(names, [&](const std::string& one) { return one.starts_with(name); }) - names.begin();
  };
  const auto end = static_cast<std::ptrdiff_t>(names.size());
  CHECK(at("bridge pons0") < at("VLAN filtering of bridge pons0"));
  CHECK(at("VLAN filtering") < at("link pons0.100 to VLAN 100"));
  CHECK(at("link pons0.100") < at("gateway address 10.42.0.1/24 on bridge pons0.100"));
  CHECK(at("veth ") < at("VLANs of "));
  CHECK(at("VLANs of ") < at("interface"));
  CHECK(at("VLANs of ") < end);
}

TEST_CASE(
    "tagged frames are inspected for trunks with an egress policy alone, and their ports have a group of their own") {
  Attachment attachment = inVlan({.trunk = {{5, 9}}});
  attachment.guard = SpoofGuard::Address;
  CHECK(guard::groupOf(attachment) == 28785);
  CHECK_FALSE(has(sharedStatesOf(attachment), "tagged-frames"));
  attachment.egress = EgressPolicy{};
  CHECK(has(sharedStatesOf(attachment), "tagged-frames"));
  attachment.vlans = PortVlans{.untagged = 5};
  CHECK_FALSE(has(sharedStatesOf(attachment), "tagged-frames"));
  CHECK(guard::groupOf(attachment) == 28784);
  attachment.guard = SpoofGuard::Mac;
  CHECK(guard::groupOf(attachment) == 28783);
  attachment.guard = SpoofGuard::None;
  CHECK(guard::groupOf(attachment) == 0);
}

TEST_CASE("a port's request has ranges, and the PVID alone; the default VLAN goes before") {
  netlib::Batch batch;
  appendPortVlans(batch, 7, {.untagged = 100, .keepsDefault = true}, {.filtering = true, .defaultPvid = 1});
  REQUIRE(batch.count() == 1);
  CHECK(batch.message(0).nlmsg_type == RTM_SETLINK);
  CHECK(infosIn(batch, 0) == Texts{"6 100"});  // PVID | UNTAGGED

  netlib::Batch without;
  appendPortVlans(without, 7, {.trunk = {{5, 5}, {7, 9}}}, {.filtering = true, .defaultPvid = 3});
  REQUIRE(without.count() == 2);
  CHECK(without.message(0).nlmsg_type == RTM_DELLINK);
  CHECK(infosIn(without, 0) == Texts{"0 3"});
  CHECK(infosIn(without, 1) == Texts{"6 1", "0 5", "8 7", "16 9"});  // RANGE_BEGIN, RANGE_END

  netlib::Batch none;
  appendPortVlans(none, 7, {.untagged = 5}, {.filtering = true, .defaultPvid = 0});
  CHECK(none.count() == 1);
}

TEST_CASE("the bridge's own VLANs are set with its flag, and an empty table is no request") {
  netlib::Batch batch;
  bridge_vlan::appendAdd(batch, 3, bridge_vlan::Of::Bridge,
                         {{100, {}}, {101, {.untagged = true}}, {102, {.untagged = true}}});
  CHECK(infosIn(batch, 0) == Texts{"self", "0 100", "12 101", "20 102"});
  bridge_vlan::appendRemove(batch, 3, bridge_vlan::Of::Bridge, {});
  CHECK(batch.count() == 1);
}

TEST_CASE("the whole range of VLANs takes few entries") {
  netlib::Batch batch;
  appendPortVlans(batch, 7, {.trunk = {{1, 4094}}}, {});
  CHECK(infosIn(batch, 0) == Texts{"6 1", "8 2", "16 4094"});
}

TEST_CASE("a table of VLANs as text") {
  CHECK(textOf({}) == "none");
  CHECK(textOf(tableOf({.untagged = 100})) == "100 untagged");
  CHECK(textOf(tableOf({.trunk = {{5, 5}, {200, 205}}})) == "1 untagged, 5, 200-205");
  CHECK(textOf(tableOf({.trunk = {{1, 2}}})) == "1 untagged, 2");
  CHECK(textOf(tableOf({.untagged = 100, .trunk = {{5, 6}}})) == "5-6, 100 untagged");
  CHECK(textOf(tableOf({.untagged = 100, .trunk = {{99, 101}}})) == "99-101");  // as the reference plugin
  CHECK(textOf({{1, {.untagged = true}}, {2, {.pvid = true}}}) == "1 untagged when sent, 2 untagged when received");
}

TEST_CASE("a record of VLANs out of range is damaged") {
  for (PortVlans vlans : {PortVlans{.untagged = 4095}, PortVlans{.trunk = {{0, 7}}}, PortVlans{.trunk = {{7, 4095}}}}) {
    const auto record = decodeRecord(encodeRecord(inVlan(std::move(vlans)), RecordState::Committed));
    CHECK(record.failedWith(netlib::Cause::Damaged));
  }
}

TEST_CASE(
    "a salvaged attachment has the bridge and the VLAN that its references name, in whatever order they are read") {
  std::vector<std::string> claims;
  for (const std::string& state : sharedStatesOf([] {
         Attachment attachment = inVlan({.untagged = 100});
         attachment.acceptForward = true;
         attachment.ingress = IngressPolicy::Isolated;
         return attachment;
       }())) {
    claims.push_back("holds/" + state + "/demo:c1:eth0");
  }
  for (int order = 0; order < 2; ++order) {
    const Attachment salvaged = attachmentFromClaims(support::keyOf("c1"), claims);
    CHECK(salvaged.bridge.name.toString() == "pons0");
    CHECK(gatewayVlan(salvaged) == VlanId{100});
    CHECK(salvaged.acceptForward);
    CHECK(salvaged.ingress == IngressPolicy::Isolated);
    std::ranges::reverse(claims);
  }
}

TEST_CASE("the VLAN in the name of a shared state") {
  CHECK(shared_state::vlanOf("vlan-pons0.100") == VlanId{100});
  CHECK(shared_state::vlanOf("vlan-br.7.4094") == VlanId{4094});
  for (const char* name : {"vlan-pons0.0", "vlan-pons0.4095", "vlan-pons0.1x", "vlan-pons0.", "vlans-pons0.1", ""}) {
    CHECK_FALSE(shared_state::vlanOf(name));
  }
}

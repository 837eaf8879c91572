// What the kernel must have for those who are attached.
#include <algorithm>

#include "tests/property/model.h"

namespace property {
namespace {

bool hasBridgePolicy(const Settings& settings) {
  return settings.ingress != Ingress::Open || settings.internal || settings.publishedOnly;
}

/// The nf_tables families in which it needs a table.
std::set<std::string> tablesOf(const Attachment& attachment) {
  const Settings& settings = attachment.settings;
  std::set<std::string> tables;
  if (hasBridgePolicy(settings)) tables = {"ip", "ip6"};
  for (const Subnet& subnet : attachment.network().subnets) {
    if (settings.masquerade || settings.port != 0 || settings.egress) tables.insert(subnet.family);
  }
  if (settings.guard) tables.insert("bridge");
  return tables;
}

/// The strictest policy of all that are attached to the bridge.
Ingress policyOf(const Model& model, const std::string& bridge) {
  Ingress strictest = Ingress::Open;
  for (const auto& [container, attachment] : model.attached) {
    if (attachment.network().bridge == bridge) strictest = std::max(strictest, attachment.settings.ingress);
  }
  return strictest;
}

void addBridge(Facts& shared, const Attachment& attachment) {
  const Settings& settings = attachment.settings;
  const std::string& bridge = attachment.network().bridge;
  shared["bridge " + bridge] = "up";
  if (settings.promiscuous) shared["promiscuous " + bridge] = "on";
  if (settings.egress) shared["br_netfilter " + bridge] = "1 1";
  if (settings.port != 0 && settings.sourceNat) {
    shared["route_localnet " + bridge] = "1";
    shared["element ip bridges " + bridge] = "";
  }
  for (const Subnet& subnet : attachment.network().subnets) {
    if (!settings.gateway) continue;
    shared["address " + bridge + " " + subnet.gateway() + "/" + std::to_string(subnet.length)] = "";
    if (!settings.internal) shared["forwarding " + subnet.family] = "1";
  }
}

void addPolicies(Facts& shared, const Model& model, const Attachment& attachment) {
  const Settings& settings = attachment.settings;
  const std::string& bridge = attachment.network().bridge;
  const auto inBothTables = [&](const std::string& set, const std::string& key) {
    for (const char* family : {"ip", "ip6"}) shared[std::string{"element "} + family + " " + set + " " + key] = "";
  };
  if (settings.ingress != Ingress::Open) {
    inBothTables("policy_bridges", bridge);
    if (policyOf(model, bridge) == Ingress::SameBridge) inBothTables("same_bridge_ok", bridge + " . " + bridge);
  }
  if (settings.internal) {
    inBothTables("internal_bridges", bridge);
    inBothTables("internal_pairs", bridge + " . " + bridge);
  }
  if (settings.publishedOnly) {
    inBothTables("published_only", bridge);
    inBothTables("published_pairs", bridge + " . " + bridge);
  }
  if (settings.silent) {
    inBothTables("silent_bridges", bridge);
  } else if (hasBridgePolicy(settings)) {
    for (const char* family : {"ip", "ip6"}) {
      shared[std::string{"element "} + family + " rejecting_bridges " + bridge] = "reject_by_protocol";
    }
  }
  if (!settings.forward || !model.hasFirewall) return;
  shared["accept " + bridge] = "3";
  if (attachment.network().isChain) shared["jump " + bridge] = "CNI-ADMIN";
}

/// `source`: "bridge . address".
void addEgress(Facts& own, const Settings& settings, const std::string& family, const std::string& source) {
  const std::string element = "element " + family + " ";
  for (const char* set : {"egress_sources ", "egress_any_port "}) own[element + set + source] = "";
  own[element + "egress_to_8 " + source + " . " + (family == "ip6" ? "fd00::" : "10.0.0.0")] = "";
  for (const char* map : {"egress_denied ", "egress_logged "}) own[element + map + source] = "egress";
  if (!settings.silent) own[element + "egress_rejected " + source] = "";
}

/// Of the clients in runtime.cpp.
void addRestriction(Facts& own, const std::string& family, const std::string& address, const std::string& port) {
  const std::string element = "element " + family + " ";
  own[element + "restricted_ports " + address + " . " + port] = "";
  own[element + (family == "ip6" ? "allowed_32 " + address + " . :: . " + port + " . 2001:db8::"
                                 : "allowed_24 " + address + " . 0.0.0.0 . " + port + " . 192.0.2.0")] = "";
  own[element + "restrictions " + address + (family == "ip6" ? " . :: . " : " . 0.0.0.0 . ") + port] = "hash";
}

void addSubnet(Needs& needs, const Attachment& attachment, const Subnet& subnet, const std::string& address) {
  const Settings& settings = attachment.settings;
  const std::string element = "element " + subnet.family + " ";
  if (settings.masquerade || (settings.port != 0 && settings.sourceNat)) {
    std::string chain = "subnet_" + subnet.network();
    std::ranges::replace(chain, ':', '-');
    needs.shared["chain " + subnet.family + " " + chain] = "";
    needs.shared[element + "sources " + subnet.network()] = chain;
  }
  if (settings.masquerade) needs.own["masquerade " + subnet.family + " " + address] = "";
  if (settings.egress) addEgress(needs.own, settings, subnet.family, attachment.network().bridge + " . " + address);
  if (settings.port == 0) return;
  const std::string port = std::to_string(settings.port);
  needs.own[element + "forwards_any tcp . " + port] = address + " . 80";
  if (settings.restricted) addRestriction(needs.own, subnet.family, address, "tcp . " + port);
  if (!settings.udp) return;
  if (settings.restricted) addRestriction(needs.own, subnet.family, address, "udp . " + port);
  needs.own[element + "forwards_any udp . " + port] = address + " . 80";
  needs.own[element + "udp_any " + port] = "";
}

void addPort(Facts& own, const Model& model, unsigned container, const Attachment& attachment) {
  const Settings& settings = attachment.settings;
  const std::string name = nameOf(container);
  const bool isIsolated = settings.isolated || policyOf(model, attachment.network().bridge) == Ingress::Isolated;
  own["port " + name] = attachment.network().bridge;
  own["hairpin " + name] = settings.hairpin ? "on" : "off";
  own["isolated " + name] = isIsolated ? "on" : "off";
  const char* group = attachment.network().isChain ? "28783" : "28784";
  own["guard " + name] = settings.guard ? group : "default";
}

/// The kernel's own rule: the smallest of the bridge's ports (br_mtu_auto_adjust).
unsigned mtuOf(const Model& model, const std::string& bridge) {
  unsigned smallest = bridge == kForeignBridge ? 1500U : 0U;
  for (const auto& [container, attachment] : model.attached) {
    if (attachment.isDead || attachment.network().bridge != bridge) continue;
    const unsigned mtu = attachment.settings.mtu == 0 ? 1500 : attachment.settings.mtu;
    smallest = smallest == 0 ? mtu : std::min(smallest, mtu);
  }
  return smallest == 0 ? 1500 : smallest;
}

/// A masquerade chain for each network with the same exclusions; they are of IPv4.
std::map<std::string, std::set<std::string>> networkChains(const Model& model) {
  std::map<std::string, std::set<std::string>> chains;  // by family
  for (const auto& [container, attachment] : model.attached) {
    if (!attachment.settings.masquerade) continue;
    for (const Subnet& subnet : attachment.network().subnets) {
      const bool excluded = attachment.settings.excluded && subnet.family == "ip";
      chains[subnet.family].insert(attachment.network().name + (excluded ? " with exclusions" : ""));
    }
  }
  return chains;
}

}  // namespace

const std::vector<Network>& networks() {
  static const std::vector<Network> all{
      {"one", "ponsA", {{"ip", "10.42.0.", 24}}, 10},
      {"two", "ponsA", {{"ip", "10.42.0.", 24}}, 100},
      {"three", "ponsB", {{"ip", "10.43.0.", 24}, {"ip6", "fd43::", 64}}, 10},
      {"four", kForeignBridge, {{"ip", "10.44.0.", 24}}, 10},
      {"chain", "ponsB", {{"ip", "10.45.0.", 24}}, 10, true},
  };
  return all;
}

Settings allowed(Settings settings, const Network& network) {
  if (network.isChain) {
    settings.gateway = true;
    settings.internal = settings.publishedOnly = settings.egress = false;
    if (!settings.forward) settings.ingress = Ingress::Open;
  } else {
    settings.sourceNat = true;
    settings.egress = settings.egress && settings.guard;
  }
  if (settings.internal) {
    settings.masquerade = false;
    settings.port = 0;
  }
  settings.silent = settings.silent && hasBridgePolicy(settings);
  if (settings.promiscuous) settings.hairpin = false;
  settings.excluded = settings.excluded && settings.masquerade;
  settings.udp = settings.udp && settings.port != 0;
  settings.restricted = settings.restricted && settings.port != 0;
  return settings;
}

Needs Model::needsOf(unsigned container) const {
  const Attachment& attachment = attached.at(container);
  const Network& network = attachment.network();
  Needs needs;
  addBridge(needs.shared, attachment);
  addPolicies(needs.shared, *this, attachment);
  for (const std::string& family : tablesOf(attachment)) needs.shared["table " + family] = "";
  for (const Subnet& subnet : network.subnets) {
    const std::string address = subnet.address(network.numberOf(container));
    addSubnet(needs, attachment, subnet, address);
    if (!attachment.settings.guard || network.isChain) continue;
    const char* set = subnet.family == "ip" ? "senders4 " : "senders6 ";
    needs.own["element bridge " + (set + nameOf(container)) + " . " + address] = "";
  }
  if (attachment.settings.guard) needs.own["element bridge macs " + nameOf(container)] = "";
  if (!attachment.isDead) addPort(needs.own, *this, container, attachment);
  return needs;
}

Facts Model::expected() const {
  Facts facts{{"bridge " + kForeignBridge, "up"}};
  for (const auto& [container, attachment] : attached) {
    const Needs needs = needsOf(container);
    facts.insert(needs.shared.begin(), needs.shared.end());
    facts.insert(needs.own.begin(), needs.own.end());
  }
  for (const char* bridge : {"ponsA", "ponsB", kForeignBridge.c_str()}) {
    if (facts.contains(std::string{"bridge "} + bridge)) {
      facts[std::string{"mtu "} + bridge] = std::to_string(mtuOf(*this, bridge));
    }
  }
  for (const auto& [family, chains] : networkChains(*this)) facts["chains " + family] = std::to_string(chains.size());
  return facts;
}

}  // namespace property

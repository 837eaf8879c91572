#include "plugin/ctl/graph_bridges.h"

#include <algorithm>
#include <cstring>

#include "plugin/ctl/format.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

namespace {

Uplink uplinkOf(const Attachment& attachment) {
  if (attachment.key.plugin != ChainedPlugin::None) return {{"by another plugin"}};
  if (attachment.internal) return {{"internal"}, false};
  if (!attachment.bridge.gateway) return {{"no gateway"}, false};
  std::vector<std::string> families;
  std::vector<std::string> exempt;
  for (const SourceNat& nat : attachment.sourceNats) {
    if (!nat.masquerade) continue;
    families.emplace_back(netlib::nameOf(nat.family()));
    for (const netlib::IpPrefix& destination : nat.destinations) exempt.push_back("not to " + destination.toString());
  }
  if (families.empty()) return {{"no masquerade"}};
  Uplink uplink{{"masquerade " + joined(families)}};
  uplink.lines.insert(uplink.lines.end(), exempt.begin(), exempt.end());
  return uplink;
}

void addPolicies(std::set<std::string>& policies, const Attachment& attachment) {
  if (attachment.ingress != IngressPolicy::Open) policies.insert("ingress " + std::string{nameOf(attachment.ingress)});
  if (attachment.publishedOnly) policies.insert("published ports only");
}

void addFaults(GraphedBridge& bridge, const std::string& name, const AttachmentStatus& status) {
  for (const Fault& fault : status.faults) {
    if (fault.sharedState.empty()) continue;
    if (shared_state::stem(fault.sharedState) == "bridge-" + name) {
      bridge.broken.insert(fault.difference.actual);
    } else {
      bridge.faults.insert(fault.difference.text());
    }
  }
}

}  // namespace

std::map<std::string, GraphedBridge> bridgesOf(const std::vector<Interface>& interfaces,
                                               const std::vector<AttachmentStatus>& statuses) {
  std::map<std::string, GraphedBridge> bridges;
  for (const Interface& interface : interfaces) {
    const AttachmentStatus& status = statuses.at(interface.index);
    const std::string name = status.attachment ? status.attachment->bridge.name.toString() : "";
    GraphedBridge& bridge = bridges[name];
    bridge.interfaces.push_back(&interface);
    bridge.networks.insert(plainText(interface.first["network"]));
    addFaults(bridge, name, status);
    if (!status.attachment) continue;
    for (const netlib::IpPrefix& gateway : gatewayAddresses(*status.attachment)) {
      bridge.gateways.insert(gateway.toString());
    }
    addPolicies(bridge.policies, *status.attachment);
    bridge.uplinks.insert(uplinkOf(*status.attachment));
  }
  return bridges;
}

std::vector<std::string> restrictionsOf(const Attachment& attachment) {
  std::vector<std::string> restrictions;
  if (attachment.egress) restrictions.emplace_back("egress policy");
  if (attachment.isolated) restrictions.emplace_back("port isolation");
  return restrictions;
}

std::vector<std::string> sortedPorts(const Interface& interface) {
  std::vector<std::string> ports = interface.ports;
  std::ranges::sort(ports, [](const auto& a, const auto& b) { return strverscmp(a.c_str(), b.c_str()) < 0; });
  return ports;
}

}  // namespace pons::ctl

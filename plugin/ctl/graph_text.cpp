// The graph as a tree, for a terminal.
#include "plugin/ctl/format.h"
#include "plugin/ctl/graph.h"
#include "plugin/ctl/graph_bridges.h"
#include "plugin/ctl/list.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

namespace {

std::string joinedSet(const std::set<std::string>& texts) { return joined({texts.begin(), texts.end()}); }

/// "pons0  10.42.0.1/24  network web  masquerade IPv4"
std::string headOf(const std::string& name, const GraphedBridge& bridge, const Terminal& terminal) {
  std::vector<std::string> parts{name.empty() ? "no readable record" : name};
  if (!bridge.broken.empty()) parts.push_back(joinedSet(bridge.broken));
  if (!bridge.gateways.empty()) parts.push_back(joinedSet(bridge.gateways));
  parts.push_back((bridge.networks.size() == 1 ? "network " : "networks ") + joinedSet(bridge.networks));
  for (const Uplink& uplink : bridge.uplinks) parts.push_back(joined(uplink.lines));
  if (!bridge.policies.empty()) parts.push_back(joinedSet(bridge.policies));
  std::string head = paragraph(joined(parts, "  "), 0, terminal, bridge.broken.empty() ? Colour::None : Colour::Bad);
  for (const std::string& fault : bridge.faults) head += paragraph(fault, 0, terminal, Colour::Bad);
  return head;
}

/// A container on its bridge.
struct Branch {
  const Interface* interface;
  bool isLast;
  std::vector<std::string> restrictions;
};

Cell nameOf(const Branch& branch, std::size_t idLength) {
  const json::Value pod = branch.interface->first["pod"];
  const std::string id = plainText(branch.interface->first["container"]).substr(0, idLength);
  return {(branch.isLast ? "└─ " : "├─ ") + (pod.present() ? plainText(pod) : id) + " " +
          plainText(branch.interface->first["interface"])};
}

std::string branchesOf(const GraphedBridge& bridge, const std::vector<AttachmentStatus>& statuses, std::size_t idLength,
                       const Terminal& terminal) {
  std::vector<Branch> branches;
  for (const Interface* interface : bridge.interfaces) {
    const auto& attachment = statuses.at(interface->index).attachment;
    branches.push_back({interface, interface == bridge.interfaces.back(),
                        attachment ? restrictionsOf(*attachment) : std::vector<std::string>{}});
  }
  using enum Column::Fit;
  return tableOf(branches,
                 {{"", [idLength](const Branch& one) { return nameOf(one, idLength); }},
                  {"", [](const Branch& one) { return Cell{joined(one.interface->addresses)}; }, Wrap},
                  {"", [](const Branch& one) { return Cell{joined(sortedPorts(*one.interface))}; }, Wrap},
                  {"", [](const Branch& one) { return Cell{joined(one.restrictions)}; }, Wrap},
                  {"",
                   [](const Branch& one) {
                     return Cell{std::string{nameOf(one.interface->health)}, colourOf(one.interface->health)};
                   }}},
                 terminal);
}

}  // namespace

std::string graphText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal) {
  if (statuses.empty()) return "no attachments\n";
  const json::Document document = json::Document::parse(listJson(statuses)).value();
  const std::vector<json::Value> attachments = document["attachments"].items();
  const std::vector<Interface> interfaces = interfacesIn(attachments);
  const std::size_t idLength = idLengthIn(attachments, terminal);
  std::string text;
  for (const auto& [name, bridge] : bridgesOf(interfaces, statuses)) {
    text += (text.empty() ? "" : "\n") + headOf(name, bridge, terminal);
    text += branchesOf(bridge, statuses, idLength, terminal);
  }
  return text;
}

}  // namespace pons::ctl

// The drawing, from left to right: published ports, containers, bridge, outside.
#include "netlib/base/text.h"
#include "netlib/base/utf8.h"

#include "plugin/ctl/format.h"
#include "plugin/ctl/graph.h"
#include "plugin/ctl/graph_bridges.h"
#include "plugin/ctl/list.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

namespace {

/// Ports of a container, or destinations of a network, that are listed individually.
constexpr std::size_t kNamed = 4;

constexpr const char* kHead = R"(digraph pons {
  graph [rankdir=LR, nodesep=0.15, ranksep=0.7, fontname="Helvetica", fontsize=12, bgcolor=white]
  node [shape=box, style="rounded,filled", fillcolor=white, color="#5b6b7a", fontname="Helvetica", fontsize=11, margin="0.15,0.06"]
  edge [color="#5b6b7a", fontname="Helvetica", fontsize=10, arrowsize=0.7]
)";

/// The first kNamed, and the number of the others.
std::vector<std::string> folded(std::vector<std::string> texts) {
  if (texts.size() <= kNamed + 1) return texts;
  const std::string more = "+" + std::to_string(texts.size() - kNamed) + " more";
  texts.resize(kNamed);
  texts.push_back(more);
  return texts;
}

constexpr const char* kBroken = R"(color="#c62828", fillcolor="#fdecea")";

class Drawing {
 public:
  Drawing(const std::vector<AttachmentStatus>& statuses, std::size_t idLength)
      : statuses_(statuses), idLength_(idLength) {}

  void addBridge(const std::string& name, const GraphedBridge& bridge) {
    const std::string node = "bridge" + std::to_string(bridges_++);
    text_ += "  subgraph cluster_" + node + " {\n";
    text_ += "    graph [style=\"rounded,filled\", fillcolor=\"#f3f6f9\", color=\"#c3ccd5\", label=" +
             labelOf({titleOf(bridge)}) + "]\n";
    const std::string sound = R"(fillcolor="#d5e5f5", style=filled)";
    const std::string broken = std::string{kBroken} + R"(, style="filled,dashed")";
    if (!name.empty()) addNode("    ", node, linesOf(name, bridge), bridge.broken.empty() ? sound : broken);
    std::vector<std::string> containers;
    for (const Interface* interface : bridge.interfaces) containers.push_back(addContainer(*interface));
    text_ += "  }\n";
    for (std::size_t index = 0; index < containers.size(); ++index) {
      addPorts(containers[index], sortedPorts(*bridge.interfaces[index]));
      if (!name.empty()) text_ += "  " + containers[index] + ":e -> " + node + ":w [dir=none]\n";
    }
    for (const Uplink& uplink : bridge.uplinks) addUplink(node, uplink, bridge);
  }

  std::string text() const {
    return kHead + std::string{"  outside [label=\"outside\", shape=ellipse, style=filled, fillcolor=\"#eeeeee\"]\n"} +
           text_ + "}\n";
  }

 private:
  static std::string titleOf(const GraphedBridge& bridge) {
    return std::string{bridge.networks.size() == 1 ? "network " : "networks "} +
           joined(folded({bridge.networks.begin(), bridge.networks.end()}));
  }

  static std::vector<std::string> linesOf(const std::string& name, const GraphedBridge& bridge) {
    std::vector<std::string> lines{name};
    for (std::string& gateway : folded({bridge.gateways.begin(), bridge.gateways.end()})) {
      lines.push_back(std::move(gateway));
    }
    lines.insert(lines.end(), bridge.policies.begin(), bridge.policies.end());
    lines.insert(lines.end(), bridge.broken.begin(), bridge.broken.end());
    return lines;
  }

  /// With the faults that may be in the way of its packets.
  void addUplink(const std::string& node, const Uplink& uplink, const GraphedBridge& bridge) {
    std::vector<std::string> lines = folded(uplink.lines);
    for (std::string& fault : folded({bridge.faults.begin(), bridge.faults.end()})) lines.push_back(std::move(fault));
    const bool isBroken = !bridge.broken.empty() || !bridge.faults.empty();
    text_ += "  " + node + " -> outside [label=" + labelOf(lines);
    if (isBroken) text_ += R"(, color="#c62828", fontcolor="#c62828", style=dashed)";
    if (!uplink.open) text_ += isBroken ? ", arrowhead=tee" : ", style=dotted, arrowhead=tee";
    text_ += "]\n";
  }

  void addNode(const std::string& indent, const std::string& node, const std::vector<std::string>& lines,
               const std::string& attributes) {
    text_ += indent + node + " [label=" + labelOf(lines) + (attributes.empty() ? "" : ", " + attributes) + "]\n";
  }

  std::string addContainer(const Interface& interface) {
    const std::string container = plainText(interface.first["container"]).substr(0, idLength_);
    std::vector<std::string> lines{container + " " + plainText(interface.first["interface"])};
    if (const json::Value pod = interface.first["pod"]; pod.present()) lines.insert(lines.begin(), plainText(pod));
    lines.insert(lines.end(), interface.addresses.begin(), interface.addresses.end());
    if (const auto& attachment = statuses_.at(interface.index).attachment) {
      for (std::string& restriction : restrictionsOf(*attachment)) lines.push_back(std::move(restriction));
    }
    std::string colour;
    if (interface.health != Health::Ok) lines.emplace_back(nameOf(interface.health));
    if (isBad(interface.health)) colour = kBroken;
    std::string node = "container" + std::to_string(containers_++);
    addNode("    ", node, lines, colour);
    return node;
  }

  void addPorts(const std::string& container, const std::vector<std::string>& ports) {
    if (ports.empty()) return;
    const std::string node = "ports_" + container;
    addNode("  ", node, folded(ports), R"(fillcolor="#fff6dd", style=filled)");
    text_ += "  " + node + " -> " + container + ":w\n";
  }

  const std::vector<AttachmentStatus>& statuses_;
  std::size_t idLength_;
  std::string text_;
  std::size_t bridges_ = 0;
  std::size_t containers_ = 0;
};

}  // namespace

std::string labelOf(const std::vector<std::string>& lines) {
  std::string label = "\"";
  for (const std::string& line : lines) {
    if (&line != &lines.front()) label += "\\n";
    for (const char c : netlib::printable(netlib::asUtf8(line))) {
      if (c == '"' || c == '\\') label += '\\';
      label += c == '&' ? "&amp;" : std::string{c};
    }
  }
  return label + "\"";
}

std::string graphDot(const std::vector<AttachmentStatus>& statuses) {
  if (statuses.empty()) return std::string{kHead} + "  nothing [label=\"no attachments\", shape=plaintext]\n}\n";
  const json::Document document = json::Document::parse(listJson(statuses)).value();
  const std::vector<json::Value> attachments = document["attachments"].items();
  const std::vector<Interface> interfaces = interfacesIn(attachments);
  Drawing drawing{statuses, idLengthIn(attachments, Terminal{})};
  for (const auto& [name, bridge] : bridgesOf(interfaces, statuses)) drawing.addBridge(name, bridge);
  return drawing.text();
}

}  // namespace pons::ctl

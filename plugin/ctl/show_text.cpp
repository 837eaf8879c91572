// The text of ponsctl show.
#include <algorithm>

#include "plugin/ctl/format.h"
#include "plugin/ctl/properties.h"
#include "plugin/ctl/show.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

namespace {

using enum Column::Fit;

std::string withGateway(const Lease& lease) {
  return lease.address.toString() + (lease.gateway ? ", gateway " + lease.gateway->toString() : "");
}

std::string rateOf(const RateLimit& limit) {
  return std::to_string(limit.rate / 1000) + " kbit/s, burst " + textOfBytes(limit.burst / 8);
}

std::string interfaceText(const Attachment& attachment) {
  if (attachment.key.plugin != ChainedPlugin::None) {
    return attachment.key.ifName.toString() + ", chained plugin " + std::string{nameOf(attachment.key.plugin)};
  }
  return attachment.key.ifName.toString() + ", host side " + attachment.hostVeth.toString() + " on bridge " +
         attachment.bridge.name.toString();
}

std::string portsText(const EgressPolicy& policy) {
  std::vector<std::string> ports;
  for (const Port port : policy.tcpPorts) ports.push_back("tcp " + std::to_string(port));
  for (const Port port : policy.udpPorts) ports.push_back("udp " + std::to_string(port));
  return ports.empty() ? "" : ", " + joined(ports);
}

void addEgress(PropertyList& properties, const EgressPolicy& policy) {
  std::vector<std::string> destinations;
  for (const auto& destination : policy.destinations) destinations.push_back(destination.toString());
  if (!destinations.empty()) properties.add("egress", "to " + joined(destinations) + portsText(policy));
  std::vector<std::string> servers;
  for (const auto& server : policy.nameservers) servers.push_back(server.toString());
  if (!servers.empty()) properties.add("egress", "DNS to " + joined(servers));
  if (destinations.empty() && servers.empty()) properties.add("egress", "denied");
}

void addAttachment(PropertyList& properties, const Attachment& attachment) {
  properties.add("namespace", attachment.netnsPath);
  for (const Lease& lease : attachment.leases) properties.add("address", withGateway(lease));
  for (const std::string& port : portsOf(attachment.forwards)) properties.add("port", port);
  if (attachment.hostLocalDir)
    properties.add("addresses", "also recorded by host-local in " + *attachment.hostLocalDir);
  if (attachment.delegated) properties.add("addresses", "assigned by the IPAM plugin " + attachment.delegated->type);
  if (attachment.isolated) properties.add("port isolation", "no traffic to other isolated ports of the bridge");
  if (attachment.ingress != IngressPolicy::Open) properties.add("ingress", std::string{nameOf(attachment.ingress)});
  if (attachment.guard == SpoofGuard::Mac) properties.add("spoof guard", "on (MAC)");
  if (attachment.guard == SpoofGuard::Address) properties.add("spoof guard", "on (MAC and IP)");
  if (attachment.egress) addEgress(properties, *attachment.egress);
  if (!attachment.bandwidth) return;
  if (attachment.bandwidth->ingress) properties.add("ingress rate", rateOf(*attachment.bandwidth->ingress));
  if (attachment.bandwidth->egress) properties.add("egress rate", rateOf(*attachment.bandwidth->egress));
}

std::string headText(const AttachmentStatus& status, const Facts& facts, const Terminal& terminal) {
  PropertyList properties;
  properties.add("container", status.key.container.toString());
  properties.add("network", status.key.network.toString());
  properties.add("interface", status.attachment ? interfaceText(*status.attachment) : status.key.ifName.toString());
  properties.add("health", std::string{nameOf(status.health)}, colourOf(status.health));
  for (const Fault& fault : status.faults)
    properties.add(fault.sharedState.empty() ? "fault" : "fault, shared", fault.difference.textWithRemedy());
  if (status.age) properties.add("age", textOf(*status.age));
  if (status.attachment) addAttachment(properties, *status.attachment);
  if (facts.denied) {
    properties.add("denied", counted(facts.denied->packets, "packet") + " (" + textOfBytes(facts.denied->bytes) +
                                 ") by the egress policy");
  }
  return properties.text(terminal);
}

Row rowOf(const LinkFact& fact) {
  if (!fact.link) return {{fact.name}, {fact.where}, {"missing", Colour::Bad}, {""}, {""}};
  const netlib::link::Link& link = *fact.link;
  return {{fact.name},
          {fact.where},
          link.up() ? Cell{"up", Colour::Good} : Cell{"down", Colour::Bad},
          {std::to_string(link.mtu)},
          {link.mac ? link.mac->toString() : ""}};
}

std::string linksText(const Facts& facts, const Terminal& terminal) {
  Table table{{{"LINK"}, {"WHERE"}, {"STATE"}, {"MTU", Whole, true}, {"MAC"}}};
  for (const LinkFact& fact : facts.links) table.add(rowOf(fact));
  return table.text(terminal);
}

std::string trafficText(const Facts& facts, const Terminal& terminal) {
  Table table{{{"LINK"},
               {"RECEIVED", Whole, true},
               {"PACKETS", Whole, true},
               {"DROPPED", Whole, true},
               {"SENT", Whole, true},
               {"PACKETS", Whole, true},
               {"DROPPED", Whole, true}}};
  for (const LinkFact& fact : facts.links) {
    const netlib::link::Statistics& counted = fact.statistics;
    if (!fact.link) continue;
    table.add({{fact.name},
               {textOfBytes(counted.receivedBytes)},
               {std::to_string(counted.receivedPackets)},
               {std::to_string(counted.receivedDropped)},
               {textOfBytes(counted.sentBytes)},
               {std::to_string(counted.sentPackets)},
               {std::to_string(counted.sentDropped)}});
  }
  return table.empty() ? "" : "\n" + table.text(terminal);
}

std::string addressesText(const Facts& facts, const Terminal& terminal) {
  if (facts.addresses.empty()) return {};
  Table table{{{"ADDRESSES IN THE CONTAINER", Wrap}}};
  table.add({{joined(facts.addresses)}});
  return "\n" + table.text(terminal);
}

std::string routesText(const Facts& facts, const Terminal& terminal) {
  if (facts.routes.empty()) return {};
  Table table{{{"ROUTE IN THE CONTAINER"}, {"GATEWAY"}, {"METRIC", Whole, true}, {"MTU", Whole, true}}};
  const auto shown = [](std::uint32_t number) { return number == 0 ? std::string{} : std::to_string(number); };
  for (const RouteFact& route : facts.routes) {
    table.add({{route.destination}, {route.gateway}, {shown(route.metric)}, {shown(route.mtu)}});
  }
  return "\n" + table.text(terminal);
}

std::string rulesText(const Facts& facts, const Terminal& terminal) {
  if (facts.rules.empty()) return {};
  Table table{{{"TABLE"}, {"WHERE", Wrap}, {"RULE", Wrap}, {"STATE"}}};
  for (const RuleFact& rule : facts.rules) {
    const Cell state = rule.present ? Cell{"present", Colour::Good} : Cell{"missing", Colour::Bad};
    table.add({{rule.table}, {rule.place}, {rule.rule}, state});
  }
  return "\n" + table.text(terminal);
}

std::string referencesText(const Facts& facts, const Terminal& terminal) {
  if (facts.references.empty()) return {};
  Table table{{{"SHARED STATE"}, {"REFERENCES", Whole, true}}};
  for (const auto& [sharedState, count] : facts.references) table.add({{sharedState}, {std::to_string(count)}});
  return "\n" + table.text(terminal);
}

}  // namespace

std::string showText(const std::vector<Shown>& shown, const Terminal& terminal) {
  std::string text;
  for (const Shown& one : shown) {
    text += (text.empty() ? "" : "\n") + headText(one.status, one.facts, terminal);
    if (!one.status.attachment) continue;
    text += "\n" + linksText(one.facts, terminal) + trafficText(one.facts, terminal) +
            addressesText(one.facts, terminal) + routesText(one.facts, terminal) + rulesText(one.facts, terminal) +
            referencesText(one.facts, terminal);
  }
  return text;
}

}  // namespace pons::ctl

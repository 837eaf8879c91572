// What pons show prints for people.
#include <algorithm>

#include "plugin/ctl/sheet.h"
#include "plugin/ctl/show.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

using enum Column::Fit;

std::string withGateway(const Lease& lease) {
  return lease.address.toString() + (lease.gateway ? ", gateway " + lease.gateway->toString() : "");
}

std::string rateOf(const RateLimit& limit) {
  return std::to_string(limit.rate / 1000) + " kbit/s, burst " + textOfBytes(limit.burst / 8);
}

std::string placeOf(const Attachment& attachment) {
  if (attachment.key.plugin != ChainedPlugin::None) {
    return attachment.key.ifName.toString() + ", by the chained plugin " + std::string{nameOf(attachment.key.plugin)};
  }
  return attachment.key.ifName.toString() + ", on the host " + attachment.hostVeth.toString() + " at bridge " +
         attachment.bridge.name.toString();
}

std::string portsText(const EgressPolicy& policy) {
  std::vector<std::string> ports;
  for (const Port port : policy.tcpPorts) ports.push_back("tcp " + std::to_string(port));
  for (const Port port : policy.udpPorts) ports.push_back("udp " + std::to_string(port));
  return ports.empty() ? "" : " at " + joined(ports);
}

void addEgress(Sheet& sheet, const EgressPolicy& policy) {
  std::vector<std::string> destinations;
  for (const auto& destination : policy.destinations) destinations.push_back(destination.toString());
  if (!destinations.empty()) sheet.add("may reach", joined(destinations) + portsText(policy));
  std::vector<std::string> servers;
  for (const auto& server : policy.nameservers) servers.push_back(server.toString());
  if (!servers.empty()) sheet.add("may ask", joined(servers) + " by DNS");
  if (destinations.empty() && servers.empty()) sheet.add("may reach", "nobody");
}

void addAttachment(Sheet& sheet, const Attachment& attachment) {
  sheet.add("namespace", attachment.netnsPath);
  for (const Lease& lease : attachment.leases) sheet.add("address", withGateway(lease));
  for (const std::string& port : portsOf(attachment.forwards)) sheet.add("port", port);
  if (attachment.hostLocalDir) sheet.add("addresses", "also in the files of host-local in " + *attachment.hostLocalDir);
  if (attachment.delegated) sheet.add("addresses", "given by the IPAM plugin " + attachment.delegated->type);
  if (attachment.isolated) sheet.add("isolation", "reaches no other isolated port of the bridge");
  if (attachment.ingress != IngressPolicy::Open) sheet.add("ingress", std::string{nameOf(attachment.ingress)});
  if (attachment.guard == SpoofGuard::Mac) sheet.add("guard", "it sends from its MAC address alone");
  if (attachment.guard == SpoofGuard::Address) sheet.add("guard", "it sends from its MAC and IP addresses alone");
  if (attachment.egress) addEgress(sheet, *attachment.egress);
  if (!attachment.bandwidth) return;
  if (attachment.bandwidth->ingress) sheet.add("to it", rateOf(*attachment.bandwidth->ingress));
  if (attachment.bandwidth->egress) sheet.add("from it", rateOf(*attachment.bandwidth->egress));
}

std::string headText(const Item& item, const Facts& facts, const Screen& screen) {
  Sheet sheet;
  sheet.add("container", item.key.container.toString());
  sheet.add("network", item.key.network.toString());
  sheet.add("interface", item.attachment ? placeOf(*item.attachment) : item.key.ifName.toString());
  sheet.add("health", std::string{nameOf(item.health)}, colourOf(item.health));
  for (const Fault& fault : item.faults) sheet.add(fault.sharedState.empty() ? "broken" : "broken, shared", fault.what);
  if (item.age) sheet.add("age", textOf(*item.age));
  if (item.attachment) addAttachment(sheet, *item.attachment);
  if (facts.denied) {
    sheet.add("denied",
              counted(facts.denied->packets, "packet") + " by its egress policy, " + textOfBytes(facts.denied->bytes));
  }
  return sheet.text(screen);
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

std::string linksText(const Facts& facts, const Screen& screen) {
  Table table{{{"LINK"}, {"WHERE"}, {"STATE"}, {"MTU", Whole, true}, {"MAC"}}};
  for (const LinkFact& fact : facts.links) table.add(rowOf(fact));
  return table.text(screen);
}

std::string trafficText(const Facts& facts, const Screen& screen) {
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
  return table.empty() ? "" : "\n" + table.text(screen);
}

std::string addressesText(const Facts& facts, const Screen& screen) {
  if (facts.addresses.empty()) return {};
  Table table{{{"ADDRESSES IN THE CONTAINER", Wrap}}};
  table.add({{joined(facts.addresses)}});
  return "\n" + table.text(screen);
}

std::string routesText(const Facts& facts, const Screen& screen) {
  if (facts.routes.empty()) return {};
  Table table{{{"ROUTE IN THE CONTAINER"}, {"GATEWAY"}, {"METRIC", Whole, true}, {"MTU", Whole, true}}};
  const auto shown = [](std::uint32_t number) { return number == 0 ? std::string{} : std::to_string(number); };
  for (const RouteFact& route : facts.routes) {
    table.add({{route.destination}, {route.gateway}, {shown(route.metric)}, {shown(route.mtu)}});
  }
  return "\n" + table.text(screen);
}

std::string rulesText(const Facts& facts, const Screen& screen) {
  if (facts.rules.empty()) return {};
  Table table{{{"TABLE"}, {"MAP OR CHAIN", Wrap}, {"RULE", Wrap}, {"STATE"}}};
  for (const RuleFact& rule : facts.rules) {
    const Cell state = rule.present ? Cell{"there", Colour::Good} : Cell{"missing", Colour::Bad};
    table.add({{rule.table}, {rule.place}, {rule.rule}, state});
  }
  return "\n" + table.text(screen);
}

std::string holdsText(const Facts& facts, const Screen& screen) {
  if (facts.holds.empty()) return {};
  Table table{{{"SHARED STATE"}, {"HOLDERS", Whole, true}}};
  for (const HoldFact& hold : facts.holds) table.add({{hold.name}, {std::to_string(hold.holders)}});
  return "\n" + table.text(screen);
}

}  // namespace

std::string showText(const std::vector<Shown>& shown, const Screen& screen) {
  std::string text;
  for (const Shown& one : shown) {
    text += (text.empty() ? "" : "\n") + headText(one.item, one.facts, screen);
    if (!one.item.attachment) continue;
    text += "\n" + linksText(one.facts, screen) + trafficText(one.facts, screen) + addressesText(one.facts, screen) +
            routesText(one.facts, screen) + rulesText(one.facts, screen) + holdsText(one.facts, screen);
  }
  return text;
}

}  // namespace pons::tools

#include "plugin/ctl/facts.h"

#include <algorithm>

#include "netlib/rtnl/address.h"
#include "netlib/rtnl/route.h"

#include "plugin/ctl/rule_facts.h"

namespace pons::ctl {

namespace link = netlib::link;
using netlib::Family;

namespace {

LinkFact linkFact(netlib::Socket& socket, const netlib::IfName& name, std::string where) {
  LinkFact fact{.name = name.toString(), .where = std::move(where)};
  const auto found = link::find(socket, name);
  if (!found) return fact;
  fact.link = *found;
  if (const auto statistics = link::statisticsOf(socket, found->index)) fact.statistics = *statistics;
  return fact;
}

void addContainerSide(Facts& facts, Host& host, const Attachment& attachment) {
  const netlib::IfName& name = attachment.key.ifName;
  if (!enterContainer(host, attachment)) {
    facts.links.push_back({.name = name.toString(), .where = "container"});
    return;
  }
  netlib::Socket& socket = host.container->route;
  facts.links.push_back(linkFact(socket, name, "container"));
  if (!facts.links.back().link) return;
  const unsigned index = facts.links.back().link->index;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (const auto addresses = netlib::address::list(socket, family, index)) {
      for (const auto& address : *addresses) facts.addresses.push_back(address.prefix.toString());
    }
    if (const auto routes = netlib::route::list(socket, family, index)) {
      for (const auto& route : *routes) {
        for (const auto& hop : route.nextHops) {
          facts.routes.push_back({.destination = route.destination.toString(),
                                  .gateway = hop.gateway ? hop.gateway->toString() : "",
                                  .metric = route.metric,
                                  .mtu = route.mtu});
        }
      }
    }
  }
}

void addHostSide(Facts& facts, Host& host, const Attachment& attachment) {
  facts.links.push_back(linkFact(host.route, attachment.hostVeth, "host"));
  if (attachment.bandwidth && attachment.bandwidth->egress) {
    facts.links.push_back(linkFact(host.route, ifbName(attachment.key), "rate limit"));
  }
  facts.links.push_back(linkFact(host.route, attachment.bridge.name, "bridge"));
  if (gatewayVlan(attachment)) facts.links.push_back(linkFact(host.route, routedLink(attachment), "gateway"));
}

}  // namespace

Facts factsOf(Host& host, const Attachment& attachment) {
  Facts facts;
  addContainerSide(facts, host, attachment);
  addHostSide(facts, host, attachment);
  facts.rules = rulesOf(host, attachment);
  if (attachment.egress) {
    facts.denied.emplace();
    for (const auto& [family, denied] : deniedBy(host, attachment)) {
      facts.denied->packets += denied.packets;
      facts.denied->bytes += denied.bytes;
    }
  }
  for (const std::string& sharedState : sharedStatesOf(attachment)) {
    const auto count = host.ledger.countReferences(sharedState);
    facts.references.push_back({sharedState, count ? *count : 0});
  }
  return facts;
}

}  // namespace pons::ctl

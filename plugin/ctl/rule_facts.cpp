#include "plugin/ctl/rule_facts.h"

#include <algorithm>

#include "netlib/nft/content.h"

#include "plugin/ctl/common.h"
#include "plugin/ctl/format.h"
#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/forward_chains.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/source_subnets.h"
#include "plugin/firewall/table_content.h"

namespace pons::ctl {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

std::string tableName(Family family) { return family == Family::Ipv4 ? "ip pons" : "ip6 pons"; }

RuleFact elementFact(Host& host, Family family, const char* set, std::string rule, const nft::Element& wanted) {
  const auto found = nft::findElement(host.netfilter, nat::tableOf(family), set, wanted);
  const bool present = found && *found && (*found)->data == wanted.data;
  return {tableName(family), set, std::move(rule), present};
}

/// The chain that `wanted` creates, and what it needs.
RuleFact chainFact(Host& host, Family family, const std::string& chain, const char* what,
                   const tables::Changes& wanted) {
  nft::Transaction transaction;
  wanted(transaction);
  const auto content = transaction.contentOf(nat::tableOf(family));
  const std::size_t count = content ? content->chains.at(chain).rules.size() : 0;
  const auto differences = tables::differencesOf(host, wanted);
  return {tableName(family), chain, std::string{what} + ", " + counted(count, "rule"),
          differences && differences->empty()};
}

bool allPresent(Host& host, const nft::Table& table, const std::string& set,
                const std::vector<nft::Element>& elements) {
  return std::ranges::all_of(elements, [&](const nft::Element& wanted) {
    const auto found = nft::findElement(host.netfilter, table, set, wanted);
    return found && *found && (*found)->jumpTo == wanted.jumpTo;
  });
}

void addRestriction(std::vector<RuleFact>& rules, Host& host, const PortForward& forward) {
  const Family family = forward.target.family();
  const std::string port = std::string{nameOf(forward.protocol)} + " " + std::to_string(forward.hostPort);
  const auto elements = restricted::elementsOf(forward);
  if (const auto restriction = elements.find(restricted::kRestrictedPorts); restriction != elements.end()) {
    rules.push_back(elementFact(host, family, restricted::kRestrictedPorts, port + " not from all addresses",
                                restriction->second.front()));
  }
  for (const netlib::IpPrefix& allowed : forward.allowFrom) {
    for (const auto& [set, some] : restricted::elementsFor(forward, allowed)) {
      rules.push_back({tableName(family), set, port + " from " + allowed.toString(),
                       allPresent(host, nat::tableOf(family), set, some)});
    }
  }
}

void addForwards(std::vector<RuleFact>& rules, Host& host, const Attachment& attachment) {
  for (const PortForward& forward : attachment.forwards) {
    const Family family = forward.target.family();
    const std::string target = forward.target.toString();
    const std::string rule = std::string{nameOf(forward.protocol)} + " " + std::to_string(forward.hostPort) +
                             (forward.hostAddress.isUnspecified() ? "" : " at " + forward.hostAddress.toString());
    const std::string to = " to " + target + " port " + std::to_string(forward.targetPort);
    rules.push_back(elementFact(host, family, nat::mapOf(forward), rule + to, nat::elementOf(forward)));
    if (forward.protocol == Protocol::Udp) {
      rules.push_back(elementFact(host, family, nat::udpSetOf(forward), rule, nat::udpElementOf(forward)));
    }
    addRestriction(rules, host, forward);
  }
}

void addSourceNats(std::vector<RuleFact>& rules, Host& host, const Attachment& attachment) {
  for (const SourceNat& nat : attachment.sourceNats) {
    if (!nat.masquerade) continue;
    const std::string chain = chainOf(attachment, nat);
    const auto members = nat::elementsOf(attachment, nat.family())[chain];
    for (const nft::Element& element : members) {
      const auto address = netlib::IpAddress::fromBytes(element.key);
      rules.push_back(elementFact(host, nat.family(), chain.c_str(), address->toString(), element));
    }
    rules.push_back(chainFact(host, nat.family(), chain, "masquerade", [&](nft::Transaction& transaction) {
      nat::appendNetwork(transaction, nat, chain, nat::networkComment(attachment.key.network));
    }));
  }
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) {
    const auto start = nat::sourceElements(subnet).front();
    const auto found = nft::findElement(host.netfilter, nat::tableOf(subnet.family()), nat::kSources, start);
    const bool present = found && *found;
    const std::string chain = present ? (*found)->jumpTo : start.jumpTo;
    rules.push_back({tableName(subnet.family()), nat::kSources, subnet.toString() + " to chain " + chain, present});
  }
}

/// One for the sets that have all of the attachment's elements, and one for those that lack some.
void addGuard(std::vector<RuleFact>& rules, Host& host, const Attachment& attachment) {
  std::map<bool, std::vector<std::string>, std::greater<>> sets;  // by presence
  for (const auto& [set, elements] : guard::elementsOf(attachment)) {
    sets[allPresent(host, guard::table(), set, elements)].push_back(set);
  }
  for (const auto& [present, names] : sets) {
    rules.push_back({"bridge pons", joined(names), "allowed sources of " + attachment.hostVeth.toString(), present});
  }
}

void addEgress(std::vector<RuleFact>& rules, Host& host, const Attachment& attachment) {
  for (const Family family : egress::familiesOf(attachment)) {
    for (const auto& [set, elements] : egress::elementsOf(attachment, family)) {
      const auto differences = tables::differencesOf(
          host, [&](nft::Transaction& transaction) { transaction.addElements(nat::tableOf(family), set, elements); });
      rules.push_back({tableName(family), set, "egress policy, " + counted(elements.size(), "element"),
                       differences && differences->empty()});
    }
  }
}

void addAccepts(std::vector<RuleFact>& rules, Host& host, const Attachment& attachment, const netlib::IfName& link) {
  const auto wanted = forward::rulesOf(host.ledger, attachment, link);
  const auto chains = wanted ? forward::inspect(host, *wanted) : netlib::fail(wanted.error());
  if (!chains) return;
  for (const forward::ChainState& chain : *chains) {
    if (chain.wanted == 0 && chain.present == 0) continue;  // a chain without drop policy
    rules.push_back({"", chain.name,
                     "accept forwarded traffic of " + link.toString() + ", " + counted(chain.wanted, "rule"),
                     chain.isRight()});
  }
}

void addBridge(std::vector<RuleFact>& rules, Host& host, const Attachment& attachment) {
  const std::string bridge = routedLink(attachment).toString();
  const auto element = bridges::elementOf(routedLink(attachment));
  if (has(attachment, shared_state::routeLocalnet(attachment))) {
    rules.push_back(elementFact(host, Family::Ipv4, nat::kBridges, bridge, element));
  }
  if (has(attachment, shared_state::ingress(attachment))) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      rules.push_back(elementFact(host, family, bridges::kPolicyBridges, bridge, element));
    }
  }
  for (const auto restriction : bridges::kRestrictions) {
    if (!has(attachment, bridges::stateOf(attachment, restriction))) continue;
    const char* set = bridges::setOf(restriction);
    const auto wanted = bridges::elementsOf(routedLink(attachment), restriction).at(set).front();
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      rules.push_back(elementFact(host, family, set, bridge, wanted));
    }
  }
  if (!attachment.acceptForward) return;
  for (const netlib::IfName& link : shared_state::forwardedLinks(attachment)) addAccepts(rules, host, attachment, link);
}

}  // namespace

std::vector<RuleFact> rulesOf(Host& host, const Attachment& attachment) {
  std::vector<RuleFact> rules;
  addForwards(rules, host, attachment);
  addSourceNats(rules, host, attachment);
  addGuard(rules, host, attachment);
  addEgress(rules, host, attachment);
  addBridge(rules, host, attachment);
  return rules;
}

std::map<Family, nft::Counted> deniedBy(Host& host, const Attachment& attachment) {
  std::map<Family, nft::Counted> denied;
  for (const Family family : egress::familiesOf(attachment)) {
    const auto counted = nft::readCounter(host.netfilter, nat::tableOf(family), egress::objectOf(attachment.hostVeth));
    if (counted) denied[family] = *counted;
  }
  return denied;
}

std::map<std::string, std::uint64_t> spoofedFrames(Host& host) {
  std::map<std::string, std::uint64_t> dropped;
  for (const guard::DroppingChain& chain : guard::droppingChains()) {
    const auto counted = nft::countPackets(host.netfilter, guard::table(), chain.name);
    if (counted) dropped[chain.reason] += counted->packets;
  }
  return dropped;
}

std::vector<DeniedByKey> deniedByKey(Host& host) {
  std::vector<DeniedByKey> denied;
  for (const bridges::DenyingChain& chain : bridges::kDenying) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const auto counted = nft::countPackets(host.netfilter, nat::tableOf(family), chain.name);
      if (counted) denied.push_back({chain.key, family, counted->packets});
    }
  }
  return denied;
}

}  // namespace pons::ctl

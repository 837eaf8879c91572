#include "plugin/firewall/egress_table.h"

#include <algorithm>
#include <array>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#include "plugin/firewall/kernel_features.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/reject_chain.h"

namespace pons::egress {

namespace nft = netlib::nft;
using netlib::Family;
using nft::Icmpv6Type;
using nft::Rule;

namespace {

constexpr const char* kEgress = "egress";
constexpr Port kDnsPort = 53;

std::string destinationsSet(const netlib::IfName& hostVeth) { return "egress_to_" + hostVeth.toString(); }
std::string portsSet(const netlib::IfName& hostVeth) { return "egress_ports_" + hostVeth.toString(); }

bool hasPorts(const EgressPolicy& policy) { return !policy.tcpPorts.empty() || !policy.udpPorts.empty(); }

std::vector<netlib::IpPrefix> destinationsOf(const EgressPolicy& policy, Family family) {
  std::vector<netlib::IpPrefix> destinations;
  std::ranges::copy_if(policy.destinations, std::back_inserter(destinations),
                       [family](const netlib::IpPrefix& prefix) { return prefix.family() == family; });
  return destinations;
}

std::vector<nft::Element> portElements(const EgressPolicy& policy) {
  std::vector<nft::Element> elements;
  const auto append = [&elements](Protocol protocol, const std::vector<Port>& ports) {
    for (const Port port : ports) elements.push_back({.key = nat::portKey(protocol, port)});
  };
  append(Protocol::Tcp, policy.tcpPorts);
  append(Protocol::Udp, policy.udpPorts);
  return elements;
}

void appendPorts(nft::Transaction& transaction, const nft::Table& table, const std::string& set,
                 const EgressPolicy& policy) {
  transaction.addSet(table, {.name = set, .keyType = nft::concat(nft::kInetProto, nft::kInetService), .keyLength = 8});
  transaction.addElements(table, set, portElements(policy));
}

/// In their order in the chain.
std::vector<Rule> rulesOf(const Attachment& attachment, Family family) {
  const EgressPolicy& policy = *attachment.egress;
  const nft::Register afterAddress = nat::addressRegisters(family);
  std::vector<Rule> rules;
  const auto add = [&rules](Rule& rule) { rules.push_back(std::move(rule)); };

  // The chain of the hook has accepted them, but in a table that an earlier pons has made.
  add(Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  if (family == Family::Ipv6) {
    // Untracked by conntrack; guard_table.h has filtered their content.
    for (const Icmpv6Type type :
         {Icmpv6Type::NeighbourSolicitation, Icmpv6Type::NeighbourAdvertisement, Icmpv6Type::MulticastReport}) {
      add(Rule{}.icmpv6Type(type).accept());
    }
    // Every interface sends these when it comes up: dropped without being logged.
    add(Rule{}.icmpv6Type(Icmpv6Type::RouterSolicitation).drop());
  }
  for (const netlib::IpAddress& server : policy.nameservers) {
    if (server.family() != family) continue;
    const auto whole = *netlib::IpPrefix::of(server, bitsOf(family));
    constexpr std::array<std::uint8_t, 2> kPort{0, kDnsPort};
    for (const Protocol protocol : {Protocol::Udp, Protocol::Tcp}) {
      add(Rule{}
              .daddr(whole)
              .l4proto(static_cast<std::uint8_t>(protocol))
              .payload({nft::Header::Transport, 2, 2}, kPort)
              .accept());
    }
  }
  if (!destinationsOf(policy, family).empty()) {
    Rule allowed;
    allowed.loadDaddr(family, 0).lookup(destinationsSet(attachment.hostVeth), 0);
    if (hasPorts(policy)) {
      allowed.loadL4proto(afterAddress).loadDport(afterAddress + 1);
      allowed.lookup(portsSet(attachment.hostVeth), afterAddress);
    }
    add(allowed.accept());
  }
  if (policy.logDenied) {
    constexpr std::uint64_t kEachMinute = 5;
    const AttachmentKey& key = attachment.key;
    add(Rule{}
            .limit(kEachMinute, nft::LimitUnit::Minute)
            .log("pons denied " + key.container.toString() + " " + key.ifName.toString() + ": "));
  }
  Rule denied;
  denied.counter();
  if (rejects(attachment)) {
    add(denied.jump(reject::kByProtocol));
    add(Rule{}.drop());
  } else {
    add(denied.drop());
  }
  return rules;
}

}  // namespace

void appendPolicies(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  const bool isIpv4 = family == Family::Ipv4;
  transaction.addSet(table, {.name = kPolicies,
                             .keyType = nft::concat(nft::kIfname, isIpv4 ? nft::kIpv4Addr : nft::kIpv6Addr),
                             .keyLength = IFNAMSIZ + nat::addressRegisters(family) * 4,
                             .dataType = nft::kVerdict,
                             .hostEndian = true});
  transaction.addBaseChain(
      table, {.name = kEgress, .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_MANGLE});
  transaction.addRule(table, kEgress, Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  transaction.addRule(table, kEgress, Rule{}.loadIifname(0).loadSaddr(family, IFNAMSIZ / 4).vmap(kPolicies, 0));
}

bool permits(const EgressPolicy& policy, const Destination& destination) {
  const auto& [address, protocol, port] = destination;
  const auto has = [](const auto& all, const auto& one) { return std::ranges::find(all, one) != all.end(); };
  if (protocol && protocol != Protocol::Sctp && port == kDnsPort && has(policy.nameservers, address)) return true;
  const auto contains = [&](const netlib::IpPrefix& prefix) { return prefix.contains(destination.address); };
  if (!std::ranges::any_of(policy.destinations, contains)) return false;
  if (!hasPorts(policy)) return true;
  return (protocol == Protocol::Tcp && has(policy.tcpPorts, port)) ||
         (protocol == Protocol::Udp && has(policy.udpPorts, port));
}

bool rejects(const Attachment& attachment) {
  return attachment.egress && attachment.onDeny == OnDeny::Reject && tables::rejectsBeforeRouting();
}

std::vector<Family> familiesOf(const Attachment& attachment) {
  std::vector<Family> families;
  if (!attachment.egress) return families;
  for (const netlib::IpAddress& source : sourcesOf(attachment)) {
    if (std::ranges::find(families, source.family()) == families.end()) families.push_back(source.family());
  }
  return families;
}

std::vector<nft::Element> elementsOf(const Attachment& attachment, Family family) {
  std::vector<nft::Element> elements;
  if (!attachment.egress) return elements;
  for (const netlib::IpAddress& source : sourcesOf(attachment)) {
    if (source.family() != family) continue;
    nft::Element element{.key = nft::keyOf(attachment.bridge.name), .jumpTo = chainOf(attachment.hostVeth)};
    nft::appendPadded(element.key, source.bytes());
    elements.push_back(std::move(element));
  }
  return elements;
}

std::string chainOf(const netlib::IfName& hostVeth) { return std::string{kChainPrefix} + hostVeth.toString(); }

std::optional<netlib::IfName> vethOf(std::string_view chain) {
  if (!chain.starts_with(kChainPrefix)) return std::nullopt;
  return parseHostVethName(chain.substr(kChainPrefix.size()));
}

void appendPolicy(nft::Transaction& transaction, const Attachment& attachment, Family family) {
  const nft::Table table = nat::tableOf(family);
  const EgressPolicy& policy = *attachment.egress;
  if (const auto destinations = destinationsOf(policy, family); !destinations.empty()) {
    const std::string set = destinationsSet(attachment.hostVeth);
    transaction.addSet(table, {.name = set,
                               .keyType = family == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr,
                               .keyLength = nat::addressRegisters(family) * 4,
                               .interval = true});
    for (const auto& prefix : destinations) transaction.addElements(table, set, nat::intervalElements(prefix));
    if (hasPorts(policy)) appendPorts(transaction, table, portsSet(attachment.hostVeth), policy);
  }
  const std::string chain = chainOf(attachment.hostVeth);
  transaction.addChain(table, chain, attachment.key.toString());
  for (const Rule& rule : rulesOf(attachment, family)) transaction.addRule(table, chain, rule);
}

void appendRemoval(nft::Transaction& transaction, const Attachment& attachment) {
  for (const Family family : familiesOf(attachment)) {
    transaction.deleteChain(nat::tableOf(family), chainOf(attachment.hostVeth));
    for (const std::string& set : setsOf(attachment, family)) transaction.deleteSet(nat::tableOf(family), set);
  }
}

std::vector<std::string> setsOf(const Attachment& attachment, Family family) {
  std::vector<std::string> sets;
  if (destinationsOf(*attachment.egress, family).empty()) return sets;
  sets.push_back(destinationsSet(attachment.hostVeth));
  if (hasPorts(*attachment.egress)) sets.push_back(portsSet(attachment.hostVeth));
  return sets;
}

std::vector<std::string> setsOf(const netlib::IfName& hostVeth) {
  return {destinationsSet(hostVeth), portsSet(hostVeth)};
}

}  // namespace pons::egress

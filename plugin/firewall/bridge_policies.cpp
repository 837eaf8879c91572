#include "plugin/firewall/bridge_policies.h"

#include <algorithm>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/reject_chain.h"

namespace pons::bridges {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr const char* kForwarding = "forwarding";
constexpr const char* kDenied = "denied";
constexpr nft::Register kNameRegisters = IFNAMSIZ / 4;

/// Behind a lookup of the name of one bridge: the other one is not the same, or the set lacks it.
nft::Rule& exceptPair(nft::Rule& rule, const char* pairs) {
  return rule.loadIifname(0).loadOifname(kNameRegisters).lookupNot(pairs, 0);
}

void appendSets(nft::Transaction& transaction, const nft::Table& table) {
  for (const char* name : {kPolicyBridges, kInternalBridges, kPublishedOnly, kSilentBridges}) {
    transaction.addSet(table, {.name = name, .keyType = nft::kIfname, .keyLength = IFNAMSIZ});
  }
  transaction.addSet(
      table, {.name = kRejectingBridges, .keyType = nft::kIfname, .keyLength = IFNAMSIZ, .dataType = nft::kVerdict});
  for (const char* name : {kSameBridgeOk, kInternalPairs, kPublishedPairs}) {
    transaction.addSet(table,
                       {.name = name, .keyType = nft::concat(nft::kIfname, nft::kIfname), .keyLength = 2 * IFNAMSIZ});
  }
}

void appendDenied(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  transaction.addChain(table, kDenied, "policies of bridges");
  transaction.addRule(table, kDenied, nft::Rule{}.loadIifname(0).lookup(kSilentBridges, 0).drop());
  transaction.addRule(table, kDenied, nft::Rule{}.loadOifname(0).lookup(kSilentBridges, 0).drop());
  transaction.addRule(table, kDenied, nft::Rule{}.ctState(nft::kInvalid).drop());
  transaction.addRule(table, kDenied, nft::Rule{}.loadIifname(0).vmap(kRejectingBridges, 0));
  transaction.addRule(table, kDenied, nft::Rule{}.loadOifname(0).vmap(kRejectingBridges, 0));
  transaction.addRule(table, kDenied, nft::Rule{}.drop());
}

void appendDenying(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  ensurePublished(transaction, family);
  for (const DenyingChain& chain : kDenying) {
    transaction.addChain(table, chain.name, std::string{"denied by "} + chain.key);
    if (chain.exceptPublished) transaction.addRule(table, chain.name, nft::Rule{}.jump(kPublished));
    transaction.addRule(table, chain.name, nft::Rule{}.counter().jump(kDenied));
  }
}

/// In both families: a container can assign itself addresses of the family that its network lacks. With br_netfilter
/// bridged packets pass this hook as well, with the name of the bridge on both sides.
void appendForwarding(nft::Transaction& transaction, const nft::Table& table) {
  const auto append = [&](nft::Rule& rule) { transaction.addRule(table, kForwarding, rule); };
  // Before the host's own filter chains: a drop is final, an accept is not.
  transaction.addBaseChain(
      table, {.name = kForwarding, .type = "filter", .hook = NF_INET_FORWARD, .priority = NF_IP_PRI_FILTER - 1});
  nft::Rule from;
  append(exceptPair(from.loadIifname(0).lookup(kInternalBridges, 0), kInternalPairs).jump(kByInternal.name));
  nft::Rule to;
  append(exceptPair(to.loadOifname(0).lookup(kInternalBridges, 0), kInternalPairs).jump(kByInternal.name));
  append(nft::Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  nft::Rule between;
  between.loadIifname(0).lookup(kPolicyBridges, 0).loadOifname(0).lookup(kPolicyBridges, 0);
  append(exceptPair(between, kSameBridgeOk).jump(kByIngressPolicy.name));
  nft::Rule published;
  append(exceptPair(published.loadOifname(0).lookup(kPublishedOnly, 0), kPublishedPairs).jump(kByPublishedOnly.name));
}

}  // namespace

std::string stateOf(const Attachment& attachment, Restriction restriction) {
  switch (restriction) {
    case Restriction::Internal:
      return shared_state::internal(attachment);
    case Restriction::PublishedOnly:
      return shared_state::publishedOnly(attachment);
    case Restriction::Silent:
      return shared_state::silent(attachment);
    case Restriction::Rejecting:
      return shared_state::rejecting(attachment);
  }
  return {};
}

const char* setOf(Restriction restriction) {
  switch (restriction) {
    case Restriction::Internal:
      return kInternalBridges;
    case Restriction::PublishedOnly:
      return kPublishedOnly;
    case Restriction::Silent:
      return kSilentBridges;
    case Restriction::Rejecting:
      return kRejectingBridges;
  }
  return "";
}

void ensurePublished(nft::Transaction& transaction, Family family) {
  transaction.ensureChain(nat::tableOf(family), kPublished, "published ports");
}

void appendPolicies(nft::Transaction& transaction, Family family) {
  appendSets(transaction, nat::tableOf(family));
  appendDenied(transaction, family);
  appendDenying(transaction, family);
  appendForwarding(transaction, nat::tableOf(family));
}

nft::Element elementOf(const netlib::IfName& bridge) { return {.key = nft::keyOf(bridge)}; }

nft::Element pairOf(const netlib::IfName& bridge) {
  nft::Element element = elementOf(bridge);
  element.key.reserve(2 * IFNAMSIZ);
  element.key.insert(element.key.end(), element.key.begin(), element.key.end());
  return element;
}

nft::ElementsBySet elementsOf(const netlib::IfName& bridge, IngressPolicy policy) {
  nft::ElementsBySet elements;
  if (policy != IngressPolicy::Open) elements[kPolicyBridges] = {elementOf(bridge)};
  if (policy == IngressPolicy::SameBridge) elements[kSameBridgeOk] = {pairOf(bridge)};
  return elements;
}

nft::ElementsBySet elementsOf(const netlib::IfName& bridge, Restriction restriction) {
  nft::ElementsBySet elements{{setOf(restriction), {elementOf(bridge)}}};
  if (restriction == Restriction::Internal) elements[kInternalPairs] = {pairOf(bridge)};
  if (restriction == Restriction::PublishedOnly) elements[kPublishedPairs] = {pairOf(bridge)};
  if (restriction == Restriction::Rejecting) elements[kRejectingBridges].front().jumpTo = reject::kByProtocol;
  return elements;
}

netlib::Result<IngressPolicy> policyOf(Ledger& ledger, const std::string& state) {
  IngressPolicy strictest = IngressPolicy::Open;
  for (const std::string& value : TRY(ledger.valuesOf(shared_state::stem(state)))) {
    strictest = std::max(strictest, parseIngressPolicy(value).value_or(IngressPolicy::Open));
  }
  return strictest;
}

netlib::Result<bool> isPortIsolated(Ledger& ledger, const Attachment& attachment) {
  if (attachment.isolated) return true;
  const std::string bridge = shared_state::stem(shared_state::ingress(attachment));
  const bool mayBe = TRY(ledger.mayBeReferenced(bridge + "/" + std::string{nameOf(IngressPolicy::Isolated)}));
  return mayBe && TRY(policyOf(ledger, bridge)) == IngressPolicy::Isolated;
}

}  // namespace pons::bridges

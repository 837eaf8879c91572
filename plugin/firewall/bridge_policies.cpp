#include "plugin/firewall/bridge_policies.h"

#include <algorithm>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#include "plugin/firewall/nat_table.h"

namespace pons::bridges {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr const char* kForwarding = "forwarding";
constexpr const char* kBetweenBridges = "between_bridges";
constexpr nft::Register kNameRegisters = IFNAMSIZ / 4;

/// In both families: a container can assign itself addresses of the family that its network lacks. With br_netfilter
/// bridged packets pass this hook as well.
void appendInternal(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  const auto append = [&](nft::Rule& rule) {
    rule.lookup(kInternalBridges, 0).loadIifname(0).loadOifname(kNameRegisters).lookupNot(kInternalPairs, 0).drop();
    transaction.addRule(table, kForwarding, rule);
  };
  append(nft::Rule{}.loadIifname(0));
  append(nft::Rule{}.loadOifname(0));
}

}  // namespace

/// Before the host's own filter chains: a drop is final, an accept is not.
void appendPolicies(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  for (const char* name : {kPolicyBridges, kInternalBridges}) {
    transaction.addSet(table, {.name = name, .keyType = nft::kIfname, .keyLength = IFNAMSIZ, .hostEndian = true});
  }
  for (const char* name : {kSameBridgeOk, kInternalPairs}) {
    transaction.addSet(table, {.name = name,
                               .keyType = nft::concat(nft::kIfname, nft::kIfname),
                               .keyLength = 2 * IFNAMSIZ,
                               .hostEndian = true});
  }
  transaction.addChain(table, kBetweenBridges, "ingress policies");
  transaction.addRule(table, kBetweenBridges, nft::Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  transaction.addRule(table, kBetweenBridges,
                      nft::Rule{}.loadIifname(0).loadOifname(kNameRegisters).lookup(kSameBridgeOk, 0).accept());
  transaction.addRule(table, kBetweenBridges, nft::Rule{}.drop());
  transaction.addBaseChain(
      table, {.name = kForwarding, .type = "filter", .hook = NF_INET_FORWARD, .priority = NF_IP_PRI_FILTER - 1});
  appendInternal(transaction, family);
  transaction.addRule(table, kForwarding,
                      nft::Rule{}
                          .loadIifname(0)
                          .lookup(kPolicyBridges, 0)
                          .loadOifname(0)
                          .lookup(kPolicyBridges, 0)
                          .jump(kBetweenBridges));
}

nft::Element elementOf(const netlib::IfName& bridge) { return {.key = nft::keyOf(bridge)}; }

nft::Element pairOf(const netlib::IfName& bridge) {
  nft::Element element = elementOf(bridge);
  element.key.reserve(2 * IFNAMSIZ);
  element.key.insert(element.key.end(), element.key.begin(), element.key.end());
  return element;
}

std::map<std::string, std::vector<nft::Element>> elementsOf(const netlib::IfName& bridge, IngressPolicy policy) {
  std::map<std::string, std::vector<nft::Element>> elements;
  if (policy != IngressPolicy::Open) elements[kPolicyBridges] = {elementOf(bridge)};
  if (policy == IngressPolicy::SameBridge) elements[kSameBridgeOk] = {pairOf(bridge)};
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

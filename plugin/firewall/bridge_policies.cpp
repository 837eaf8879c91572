#include "plugin/firewall/bridge_policies.h"

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
void appendSkeleton(nft::Transaction& transaction, Family family) {
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

std::vector<std::pair<const char*, std::size_t>> chains() { return {{kBetweenBridges, 3}, {kForwarding, 3}}; }

nft::Element elementOf(const netlib::IfName& bridge) { return {.key = nft::keyOf(bridge)}; }

nft::Element pairOf(const netlib::IfName& bridge) {
  nft::Element element = elementOf(bridge);
  element.key.reserve(2 * IFNAMSIZ);
  element.key.insert(element.key.end(), element.key.begin(), element.key.end());
  return element;
}

}  // namespace pons::bridges

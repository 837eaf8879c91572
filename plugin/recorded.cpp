#include "plugin/recorded.h"

#include <algorithm>

#include "plugin/bridge_policies.h"
#include "plugin/egress_table.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::array kIp{TableFamily::Ipv4, TableFamily::Ipv6};

void append(std::vector<nft::Element>& to, const std::vector<nft::Element>& elements) {
  to.insert(to.end(), elements.begin(), elements.end());
}

}  // namespace

Recorded::Recorded(std::vector<Attachment> attachments) : attachments_(std::move(attachments)) {
  for (const Attachment& attachment : attachments_) take(attachment);
  // A chain that masquerades does all that one for published ports alone does.
  for (const bool masquerade : {true, false}) {
    for (const Attachment& attachment : attachments_) takeNats(attachment, masquerade);
  }
  for (const TableFamily family : kIp) {
    if (!families_.contains(family)) continue;
    for (const auto& [bridge, policy] : policies_) {
      elements_[{family, bridges::kLimited}].push_back(bridges::elementOf(bridge));
      if (policy == IngressPolicy::SameBridge) elements_[{family, bridges::kWithin}].push_back(bridges::pairOf(bridge));
    }
    for (const auto& bridge : internal_) {
      elements_[{family, bridges::kInternal}].push_back(bridges::elementOf(bridge));
      elements_[{family, bridges::kConfined}].push_back(bridges::pairOf(bridge));
    }
  }
  for (const auto& bridge : loopbacks_) {
    elements_[{TableFamily::Ipv4, nat::kBridges}].push_back(bridges::elementOf(bridge));
  }
}

void Recorded::take(const Attachment& attachment) {
  for (const TableFamily family : familiesOf(attachment)) families_.insert(family);
  for (const auto& [set, some] : elementsOf(attachment)) append(elements_[set], some);
  if (needsLoopback(attachment)) loopbacks_.insert(attachment.bridge.name);
  if (attachment.internal) internal_.insert(attachment.bridge.name);
  // Of several for one bridge the strictest counts.
  if (attachment.ingress == IngressPolicy::Open) return;
  IngressPolicy& policy = policies_.emplace(attachment.bridge.name, attachment.ingress).first->second;
  policy = std::max(policy, attachment.ingress);
}

void Recorded::takeNats(const Attachment& attachment, bool masquerade) {
  for (const SourceNat& nat : attachment.sourceNats) {
    const std::string chain = chainOf(attachment, nat);
    if (nat.masquerade != masquerade) continue;
    if (!networks_.emplace(std::pair{nat.family, chain}, Network{nat, attachment.key.network}).second) continue;
    for (const auto& subnet : nat.subnets) {
      if (!subnets_.insert(subnet).second) continue;
      append(elements_[{static_cast<TableFamily>(nat.family), nat::kSources}], nat::sourceElements(subnet, chain));
    }
  }
}

void Recorded::appendTo(nft::Transaction& transaction) const {
  for (const auto& [chain, network] : networks_) {
    nat::appendNetwork(transaction, network.nat, chain.second, nat::networkComment(network.name));
  }
  for (const Attachment& attachment : attachments_) {
    for (const Family family : egress::familiesOf(attachment)) egress::appendPolicy(transaction, attachment, family);
  }
  for (const auto& [set, some] : elements_) transaction.addElements(tableOf(set.first), set.second, some);
}

}  // namespace pons::tables

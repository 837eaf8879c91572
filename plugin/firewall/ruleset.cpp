#include "plugin/firewall/ruleset.h"

#include <algorithm>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::array kIp{TableFamily::Ipv4, TableFamily::Ipv6};

void merge(Elements& to, const std::map<std::string, std::vector<nft::Element>>& guards) {
  for (const auto& [set, some] : guards) {
    auto& elements = to[{TableFamily::Bridge, set}];
    elements.insert(elements.end(), some.begin(), some.end());
  }
}

}  // namespace

Ruleset::Ruleset(std::vector<Attachment> attachments, Elements own)
    : attachments_(std::move(attachments)), elements_(std::move(own)) {
  for (const Attachment& attachment : attachments_) include(attachment);
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    std::vector<netlib::IpPrefix> subnets;
    const auto isOfFamily = [family](const netlib::IpPrefix& subnet) { return subnet.family() == family; };
    std::ranges::copy_if(subnets_, std::back_inserter(subnets), isOfFamily);
    auto sources = nat::sourceElements(std::move(subnets));
    if (!sources.empty()) elements_[{static_cast<TableFamily>(family), nat::kSources}] = std::move(sources);
  }
  for (const auto& [container, interfaces] : guarded_) {
    for (const Attachment* one : interfaces) {
      for (const Attachment* other : interfaces) merge(elements_, guard::elementsBetween(*one, *other));
    }
  }
  for (const TableFamily family : kIp) {
    if (!families_.contains(family)) continue;
    for (const auto& [bridge, policy] : policies_) {
      elements_[{family, bridges::kPolicyBridges}].push_back(bridges::elementOf(bridge));
      if (policy == IngressPolicy::SameBridge)
        elements_[{family, bridges::kSameBridgeOk}].push_back(bridges::pairOf(bridge));
    }
    for (const auto& bridge : internal_) {
      elements_[{family, bridges::kInternalBridges}].push_back(bridges::elementOf(bridge));
      elements_[{family, bridges::kInternalPairs}].push_back(bridges::pairOf(bridge));
    }
  }
  for (const auto& bridge : loopbacks_) {
    elements_[{TableFamily::Ipv4, nat::kBridges}].push_back(bridges::elementOf(bridge));
  }
}

void Ruleset::include(const Attachment& attachment) {
  for (const TableFamily family : familiesOf(attachment)) families_.insert(family);
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) subnets_.insert(subnet);
  for (const SourceNat& nat : attachment.sourceNats) {
    if (!nat.masquerade) continue;
    networks_.emplace(std::pair{nat.family, chainOf(attachment, nat)}, Network{nat, attachment.key.network});
  }
  if (attachment.guard == SpoofGuard::Address)
    guarded_[shared_state::guardedContainer(attachment.key)].push_back(&attachment);
  if (needsRouteLocalnet(attachment)) loopbacks_.insert(attachment.bridge.name);
  if (attachment.internal) internal_.insert(attachment.bridge.name);
  if (attachment.ingress == IngressPolicy::Open) return;
  IngressPolicy& policy = policies_.emplace(attachment.bridge.name, attachment.ingress).first->second;
  policy = std::max(policy, attachment.ingress);
}

void Ruleset::appendTo(nft::Transaction& transaction) const {
  for (const netlib::IpPrefix& subnet : subnets_) nat::appendSubnet(transaction, subnet);
  for (const auto& [chain, network] : networks_) {
    nat::appendNetwork(transaction, network.nat, chain.second, nat::networkComment(network.name));
  }
  for (const Attachment& attachment : attachments_) {
    for (const Family family : egress::familiesOf(attachment)) egress::appendPolicy(transaction, attachment, family);
  }
  addElements(transaction, elements_);
}

}  // namespace pons::tables

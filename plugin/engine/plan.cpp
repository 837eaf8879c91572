#include "plugin/engine/plan.h"

#include <algorithm>

#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

/// First, so that DEL frees the addresses last: when nothing of the container answers to them any more.
void addIpam(Plan& plan, const Attachment& attachment) {
  if (attachment.hostLocalDir) plan.push_back(hostLocalFiles(attachment));
  if (attachment.delegated) plan.push_back(delegatedAddresses(attachment));
}

void addShared(Plan& plan, const Attachment& attachment) {
  const std::vector<std::string> states = sharedStatesOf(attachment);
  const auto addIfShared = [&](StepPointer step) {
    if (std::ranges::find(states, step->sharedState()) != states.end()) plan.push_back(std::move(step));
  };
  addIfShared(bridgePresent(attachment));
  addIfShared(bridgePromiscuous(attachment));
  addIfShared(vlanFiltering(attachment));
  if (gatewayVlan(attachment)) plan.push_back(vlanLink(attachment));
  for (const auto& address : gatewayAddresses(attachment)) plan.push_back(gatewayAddress(attachment, address));
  for (const auto family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) addIfShared(ipForwardingEnabled(family));
  for (const auto family : tables::kAll) addIfShared(tablesPresent(attachment, family));
  addIfShared(brNetfilterEnabled(attachment));
  addIfShared(taggedFramesFiltered(attachment));
  for (const auto restriction : bridges::kRestrictions) addIfShared(bridgeRestricted(attachment, restriction));
  addIfShared(routeLocalnet(attachment));
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) plan.push_back(subnetChain(attachment, subnet));
  for (const SourceNat& nat : attachment.sourceNats) addIfShared(masqueradeChain(attachment, nat));
  addIfShared(guardedInterfaces(attachment));
  addIfShared(ingressPolicyApplied(attachment));
  for (const auto& link : shared_state::forwardedLinks(attachment)) addIfShared(forwardAccepted(attachment, link));
}

/// A guarded port drops everything that has no element: so it may exist before its elements do, and DEL, which goes
/// backwards, removes them first. It has to: what nf_tables frees waits for the same RCU grace period as the link, and
/// would make the end of the process wait for one more (Linux 6.18, 16 ms). Conntrack entries are deleted when no
/// packet can make new ones.
void addOwn(Plan& plan, const Attachment& attachment) {
  const bool hasInterface = attachment.key.plugin == ChainedPlugin::None;
  if (attachment.resolvConf) plan.push_back(resolvConfPresent(attachment));
  if (!attachment.leases.empty() || !attachment.forwards.empty()) plan.push_back(conntrackFlushed(attachment));
  if (hasInterface) plan.push_back(vethPair(attachment));
  if (attachment.vlans) plan.push_back(portVlans(attachment));
  if (!tables::elementsOf(attachment).empty()) plan.push_back(nftElements(attachment));
  if (attachment.bandwidth) plan.push_back(bandwidthLimited(attachment));
  if (hasInterface) plan.push_back(containerAddresses(attachment));
  if (attachment.tuning) plan.push_back(containerTuned(attachment));
  if (!attachment.leases.empty() && !attachment.containerInterfaceDown) plan.push_back(neighboursAnnounced(attachment));
}

}  // namespace

Plan planFor(const Attachment& attachment) {
  Plan plan;
  addIpam(plan, attachment);
  addShared(plan, attachment);
  addOwn(plan, attachment);
  return plan;
}

Plan ipamPlanFor(const Attachment& attachment) {
  Plan plan;
  addIpam(plan, attachment);
  return plan;
}

}  // namespace pons

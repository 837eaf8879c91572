#include "plugin/engine/plan.h"

#include <algorithm>

#include "plugin/steps/bandwidth_limited.h"
#include "plugin/steps/bridge_confined.h"
#include "plugin/steps/bridge_filtered.h"
#include "plugin/steps/bridge_present.h"
#include "plugin/steps/container_addresses.h"
#include "plugin/steps/container_tuned.h"
#include "plugin/steps/delegated_addresses.h"
#include "plugin/steps/forward_accepted.h"
#include "plugin/steps/forwarding_held.h"
#include "plugin/steps/gateway_address.h"
#include "plugin/steps/guarded_interfaces.h"
#include "plugin/steps/host_local_files.h"
#include "plugin/steps/ingress_limited.h"
#include "plugin/steps/loopback_reachable.h"
#include "plugin/steps/neighbours_told.h"
#include "plugin/steps/no_stale_flows.h"
#include "plugin/steps/own_entries.h"
#include "plugin/steps/resolv_conf_present.h"
#include "plugin/steps/source_nat_present.h"
#include "plugin/steps/source_subnet.h"
#include "plugin/steps/tables_present.h"
#include "plugin/steps/veth_pair.h"

namespace pons {

namespace {

template <class State, class... Arguments>
void add(Plan& plan, Arguments&&... arguments) {
  plan.push_back(std::make_unique<const State>(std::forward<Arguments>(arguments)...));
}

/// A step belongs into the plan where the attachment has its hold.
template <class State, class... Arguments>
void addIfHeld(Plan& plan, const std::vector<std::string>& holds, Arguments&&... arguments) {
  auto step = std::make_unique<const State>(std::forward<Arguments>(arguments)...);
  if (std::ranges::find(holds, step->hold()) != holds.end()) plan.push_back(std::move(step));
}

/// First, so that they are told last: when nothing of the container answers to its addresses any more.
void addIpam(Plan& plan, const Attachment& attachment) {
  if (attachment.hostLocalDir) add<HostLocalFiles>(plan, attachment);
  if (attachment.delegated) add<DelegatedAddresses>(plan, attachment);
}

void addShared(Plan& plan, const Attachment& attachment) {
  const std::vector<std::string> holds = holdsOf(attachment);
  addIfHeld<BridgePresent>(plan, holds, attachment);
  for (const auto& address : gatewayAddresses(attachment)) add<GatewayAddress>(plan, attachment, address);
  for (const auto family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
    addIfHeld<ForwardingHeld>(plan, holds, family);
  }
  addIfHeld<TablesPresent>(plan, holds, attachment);
  addIfHeld<BridgeFiltered>(plan, holds, attachment);
  addIfHeld<BridgeConfined>(plan, holds, attachment);
  addIfHeld<LoopbackReachable>(plan, holds, attachment);
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) add<SourceSubnet>(plan, attachment, subnet);
  for (const SourceNat& nat : attachment.sourceNats) addIfHeld<SourceNatPresent>(plan, holds, attachment, nat);
  addIfHeld<GuardedInterfaces>(plan, holds, attachment);
  addIfHeld<IngressLimited>(plan, holds, attachment);
  addIfHeld<ForwardAccepted>(plan, holds, attachment);
}

/// A guarded port lets nothing pass but what is entered for it: so it may be there before its entries are, and DEL,
/// which goes backwards, may take them first. It has to: what nf_tables frees waits for the same grace period as the
/// link, and would make the end of the process wait for one more (Linux 6.18, 16 ms). Flows end when no packet can make
/// new ones.
void addOwn(Plan& plan, const Attachment& attachment) {
  if (attachment.resolvConf) add<ResolvConfPresent>(plan, attachment);
  if (!attachment.leases.empty() || !attachment.forwards.empty()) add<NoStaleFlows>(plan, attachment);
  if (attachment.key.part == Part::Network) add<VethPair>(plan, attachment);
  if (OwnEntries::areNeeded(attachment)) add<OwnEntries>(plan, attachment);
  if (attachment.bandwidth) add<BandwidthLimited>(plan, attachment);
  if (attachment.key.part == Part::Network) add<ContainerAddresses>(plan, attachment);
  if (attachment.tuning) add<ContainerTuned>(plan, attachment);
  if (!attachment.leases.empty() && !attachment.containerInterfaceDown) add<NeighboursTold>(plan, attachment);
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

#include "plugin/ctl/finding.h"

#include <array>

namespace pons::ctl {

namespace {

using Id = FindingId;

struct Named {
  Id id;
  std::string_view name;
};
constexpr std::array kAll{std::to_array<Named>({
    {Id::StateDirectoryMissing, "state-directory-missing"},
    {Id::StateDirectoryNearlyFull, "state-directory-nearly-full"},
    {Id::StateDirectoryNotWritable, "state-directory-not-writable"},
    {Id::StateDirectoryOther, "state-directory-other"},
    {Id::LedgerOfEarlierBoot, "ledger-of-earlier-boot"},
    {Id::LedgerUnreadable, "ledger-unreadable"},
    {Id::AttachmentIncomplete, "attachment-incomplete"},
    {Id::AttachmentStale, "attachment-stale"},
    {Id::RecordUnreadable, "record-unreadable"},
    {Id::ReservationLost, "reservation-lost"},
    {Id::Leftover, "leftover"},
    {Id::ConfigInvalid, "config-invalid"},
    {Id::PluginMissing, "plugin-missing"},
    {Id::NoNetwork, "no-network"},
    {Id::OtherNetworkFirst, "other-network-first"},
    {Id::PoolNearlyFull, "pool-nearly-full"},
    {Id::BridgeNearlyFull, "bridge-nearly-full"},
    {Id::AllPortsReachable, "all-ports-reachable"},
    {Id::AddressOnHost, "address-on-host"},
    {Id::MtuDiffers, "mtu-differs"},
    {Id::MtuAboveUplink, "mtu-above-uplink"},
    {Id::NameserverLoopback, "nameserver-loopback"},
    {Id::PortShadowed, "port-shadowed"},
    {Id::PortHeld, "port-held"},
    {Id::KernelFeatureMissing, "kernel-feature-missing"},
    {Id::ModulesNotLoaded, "modules-not-loaded"},
    {Id::IpForwardingOff, "ip-forwarding-off"},
    {Id::Ipv6Disabled, "ipv6-disabled"},
    {Id::ReversePathFilter, "reverse-path-filter"},
    {Id::BrNetfilterMissing, "br-netfilter-missing"},
    {Id::BridgeTrafficFiltered, "bridge-traffic-filtered"},
    {Id::ConntrackNearlyFull, "conntrack-nearly-full"},
    {Id::NeighbourTableNearlyFull, "neighbour-table-nearly-full"},
    {Id::ForwardDrop, "forward-drop"},
    {Id::ForwardDropRule, "forward-drop-rule"},
    {Id::ForwardDropPartly, "forward-drop-partly"},
    {Id::InputDrop, "input-drop"},
    {Id::OtherFirewall, "other-firewall"},
    {Id::OtherPublisher, "other-publisher"},
    {Id::LinksManaged, "links-managed"},
})};

constexpr bool areInOrder() {
  for (std::size_t i = 0; i < kAll.size(); ++i) {
    if (kAll.at(i).id != static_cast<Id>(i)) return false;
  }
  return kAll.size() == static_cast<std::size_t>(Id::LinksManaged) + 1;
}
static_assert(areInOrder());

}  // namespace

std::string_view nameOf(FindingId finding) { return kAll.at(static_cast<std::size_t>(finding)).name; }

std::vector<std::string_view> findingNames() {
  std::vector<std::string_view> names;
  for (const Named& one : kAll) names.push_back(one.name);
  return names;
}

}  // namespace pons::ctl

// What ponsctl doctor can find. The names are stable: "id" in its JSON, a label of the metrics; ponsctl(8) describes
// each.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace pons::ctl {

enum class FindingId : std::uint8_t {
  // records
  StateDirectoryMissing,
  StateDirectoryNearlyFull,
  StateDirectoryNotWritable,
  StateDirectoryOther,
  LedgerOfEarlierBoot,
  LedgerUnreadable,
  AttachmentIncomplete,
  AttachmentStale,
  RecordUnreadable,
  ReservationLost,
  Leftover,
  // networks
  ConfigInvalid,
  PluginMissing,
  NoNetwork,
  OtherNetworkFirst,
  PoolNearlyFull,
  BridgeNearlyFull,
  AllPortsReachable,
  // containers
  AddressOnHost,
  MtuDiffers,
  MtuAboveUplink,
  NameserverLoopback,
  // ports
  PortShadowed,
  PortHeld,
  // kernel
  KernelFeatureMissing,
  ModulesNotLoaded,
  // settings
  IpForwardingOff,
  Ipv6Disabled,
  ReversePathFilter,
  BrNetfilterMissing,
  BridgeTrafficFiltered,
  ConntrackNearlyFull,
  NeighbourTableNearlyFull,
  // firewall
  ForwardDrop,
  ForwardDropRule,
  ForwardDropPartly,
  InputDrop,
  OtherFirewall,
  OtherPublisher,
  // managers
  LinksManaged,
};

/// "forward-drop" and the like.
std::string_view nameOf(FindingId finding);
std::vector<std::string_view> findingNames();

}  // namespace pons::ctl

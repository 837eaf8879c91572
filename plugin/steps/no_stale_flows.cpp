#include "plugin/steps/no_stale_flows.h"

#include "netlib/filter/conntrack.h"

namespace pons {

namespace conntrack = netlib::conntrack;

std::string NoStaleFlows::name() const { return "no stale connections"; }

// Nothing to do: whoever had the addresses before left none behind, as his own undo came before their release.
netlib::Result<> NoStaleFlows::apply(Host&) const { return {}; }

netlib::Result<> NoStaleFlows::undo(Host& host) const {
  std::vector<conntrack::Filter> filters;
  for (const Lease& lease : attachment_.leases) {
    const netlib::IpAddress& address = lease.address.address();
    filters.push_back({.family = address.family(), .originalSource = address});
    filters.push_back({.family = address.family(), .replySource = address});
  }
  for (const PortForward& forward : attachment_.leases.empty() ? attachment_.forwards : std::vector<PortForward>{}) {
    const auto protocol = static_cast<std::uint8_t>(forward.protocol);
    filters.push_back({.family = forward.target.family(),
                       .replySource = forward.target,
                       .ports = conntrack::Filter::Ports{protocol, forward.hostPort, forward.targetPort}});
  }
  return conntrack::remove(host.netfilter, filters);
}

// Connections come and go while the container lives.
netlib::Result<> NoStaleFlows::verify(Host&) const { return {}; }

}  // namespace pons

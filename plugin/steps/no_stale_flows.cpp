#include "plugin/steps/no_stale_flows.h"

#include "netlib/conntrack.h"

namespace pons {

namespace conntrack = netlib::conntrack;

std::string NoStaleFlows::name() const { return "no stale connections"; }

// Nothing to do: whoever had the addresses before left none behind, as his own undo came before their release.
netlib::Result<> NoStaleFlows::apply(Host&) const { return {}; }

netlib::Result<> NoStaleFlows::undo(Host& host) const {
  for (const Lease& lease : attachment_.leases) {
    const netlib::IpAddress& address = lease.address.address();
    const netlib::Family family = address.family();
    for (const conntrack::Filter& filter : {conntrack::Filter{.family = family, .originalSource = address},
                                            conntrack::Filter{.family = family, .replySource = address}}) {
      const auto flows = TRY(conntrack::list(host.netfilter, filter));
      TRY(conntrack::remove(host.netfilter, family, flows));
    }
  }
  return {};
}

// Connections come and go while the container lives.
netlib::Result<> NoStaleFlows::verify(Host&) const { return {}; }

}  // namespace pons

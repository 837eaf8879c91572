#include "plugin/steps/neighbours_told.h"

namespace pons {

std::string NeighboursTold::name() const { return "announcement of the addresses"; }

netlib::Result<> NeighboursTold::apply(Host& host) const {
  const auto& container = *host.container;
  const unsigned index = host.containerIndex
                             ? *host.containerIndex
                             : TRY(netlib::link::find(host.container->route, attachment_.key.ifName)).index;
  const auto announcer = TRY(container.netns.inside([index] { return netlib::Announcer::open(index); }));
  for (const Lease& lease : attachment_.leases) {
    TRY(announcer.announce(attachment_.containerMac, lease.address.address()));
  }
  return {};
}

// What the neighbours learned ages by itself; there is nothing to take back and nothing to look at.
netlib::Result<> NeighboursTold::undo(Host&) const { return {}; }
netlib::Result<> NeighboursTold::verify(Host&) const { return {}; }

}  // namespace pons

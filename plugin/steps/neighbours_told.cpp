#include "plugin/steps/neighbours_told.h"

namespace pons {

std::string NeighboursTold::name() const { return "announcement of the addresses"; }

// The kernel sends the announcements itself when a MAC is set, even to what it was, as ContainerAddresses told it to. A
// packet socket would do as well, but closing one waits 8 ms for all processors.
netlib::Result<> NeighboursTold::apply(Host& host) const {
  // A bridge port forwards once the kernel noticed that its peer is up, which it does some time later, or when asked.
  TRY(netlib::link::find(host.route, attachment_.hostVeth));
  const unsigned index = TRY(containerIndexOf(host, attachment_));
  netlib::Batch batch;
  netlib::link::appendSetMac(batch, index, attachment_.containerMac);
  TRY(host.container->route.request(batch));
  return {};
}

// What the neighbours learned ages by itself; there is nothing to take back and nothing to look at.
netlib::Result<> NeighboursTold::undo(Host&) const { return {}; }
netlib::Result<> NeighboursTold::verify(Host&) const { return {}; }

}  // namespace pons

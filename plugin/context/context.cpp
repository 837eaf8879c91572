#include "plugin/context/context.h"

namespace pons {

netlib::Result<Container> Container::open(const std::string& path) {
  auto netns = TRY(netlib::Netns::open(path));
  auto route = TRY(netns.inside([] { return netlib::Socket::open(netlib::Socket::Subsystem::Route); }));
  return Container{std::move(netns), std::move(route)};
}

NetnsId idOf(const Container& container) { return {container.netns.id().device, container.netns.id().inode}; }

netlib::Result<Host> Host::open(Ledger ledger) {
  auto route = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Route));
  auto netfilter = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Netfilter));
  return Host{std::move(ledger), std::move(route), std::move(netfilter), std::nullopt};
}

netlib::Result<unsigned> containerIndexOf(Host& host, const Attachment& attachment) {
  if (host.containerIndex) return *host.containerIndex;
  return TRY(netlib::link::find(host.container->route, attachment.key.ifName)).index;
}

}  // namespace pons

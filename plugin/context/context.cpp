#include "plugin/context/context.h"

namespace pons {

netlib::Result<Container> Container::open(const std::string& path) {
  auto netns = TRY(netlib::Netns::open(path));
  auto route = TRY(netns.inside([] { return netlib::Socket::open(netlib::Socket::Subsystem::Route); }));
  return Container{std::move(netns), std::move(route)};
}

NetnsId idOf(const Container& container) { return {container.netns.id().device, container.netns.id().inode}; }

netlib::Result<std::optional<NetnsId>> netnsIdAt(const std::string& path) {
  const auto found = TRY(netlib::netnsAt(path));
  return found ? std::optional{NetnsId{found->device, found->inode}} : std::nullopt;
}

netlib::Result<Host> Host::open(Ledger ledger) {
  auto route = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Route));
  auto netfilter = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Netfilter));
  return Host{std::move(ledger), std::move(route), std::move(netfilter), std::nullopt};
}

const netlib::link::Link& routedLinkOf(const Host& host, const Attachment& attachment) {
  return gatewayVlan(attachment) ? host.vlanLink : host.bridge;
}

netlib::Result<unsigned> containerIndexOf(Host& host, const Attachment& attachment) {
  if (host.containerIndex) return *host.containerIndex;
  return TRY(netlib::link::find(host.container->route, attachment.key.ifName)).index;
}

}  // namespace pons

#include "plugin/steps/veth_pair.h"

#include "plugin/steps/link_owner.h"

namespace pons {

namespace link = netlib::link;

namespace {

netlib::Result<std::optional<unsigned>> create(Host& host, const Attachment& attachment) {
  return link::createVeth(host.route, {.hostName = attachment.hostVeth,
                                       .hostMac = attachment.hostMac,
                                       .alias = aliasOf(attachment.key),
                                       .peerName = attachment.key.ifName,
                                       .peerMac = attachment.containerMac,
                                       .peerNetns = host.container->netns.fd(),
                                       .mtu = attachment.mtu});
}

/// A request may have been done although its answer was lost. Name and MAC address are derived from the key, which the
/// record says is ours.
netlib::Result<> removeIfMade(Host& host, const Attachment& attachment) {
  const auto made = link::find(host.route, attachment.hostVeth);
  if (!made || made->mac != attachment.hostMac) return {};
  return link::remove(host.route, attachment.hostVeth);
}

netlib::Error nameTaken(const Attachment& attachment) {
  return {EEXIST, "the container has an interface " + attachment.key.ifName.toString() + " already (in " +
                      attachment.netnsPath + ")"};
}

}  // namespace

std::string VethPair::name() const {
  return "veth " + attachment_.hostVeth.toString() + " to " + attachment_.key.ifName.toString();
}

netlib::Result<> VethPair::apply(Host& host) const {
  auto created = create(host, attachment_);
  if (created.failedWith(EEXIST)) {
    // Which of the two names is taken it does not tell. ENODEV: the container's; or the kernel, which takes the links
    // of a namespace away some time after its end, was faster.
    const auto cleared = removeLeftover(host, attachment_.hostVeth, "veth");
    if (!cleared && !cleared.failedWith(ENODEV)) return cleared;
    created = create(host, attachment_);
    if (created.failedWith(EEXIST)) return netlib::fail(nameTaken(attachment_));
  }
  if (!created) {
    // The error that matters is the first one.
    static_cast<void>(removeIfMade(host, attachment_));
    return netlib::fail(created.error());
  }
  host.containerIndex = *created;
  return {};
}

netlib::Result<> VethPair::undo(Host& host) const {
  const auto removed = link::remove(host.route, attachment_.hostVeth);
  return removed.failedWith(ENODEV) ? netlib::Result<>{} : removed;
}

netlib::Result<> VethPair::verify(Host& host) const {
  const auto veth = link::find(host.route, attachment_.hostVeth);
  if (veth.failedWith(ENODEV)) return broken(name() + " is gone");
  return veth ? netlib::Result<>{} : netlib::fail(veth.error());
}

netlib::Result<> VethPair::repair(Host&) const {
  return netlib::fail(ENODEV, "only a new start of the container brings it back");
}

}  // namespace pons

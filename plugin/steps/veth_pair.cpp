#include "plugin/steps/veth_pair.h"

#include "plugin/context/link_owner.h"
#include "plugin/firewall/guard_table.h"

namespace pons {

namespace link = netlib::link;

namespace {

link::PortFlags portOf(const Attachment& attachment) {
  return {.hairpin = attachment.hairpin, .isolated = attachment.isolated};
}

netlib::Result<std::optional<unsigned>> create(Host& host, const Attachment& attachment) {
  return link::createVeth(host.route, {.hostName = attachment.hostVeth,
                                       .hostMac = attachment.hostMac,
                                       .alias = aliasOf(attachment.key),
                                       .group = guard::groupOf(attachment.guard),
                                       .master = host.bridge.index,
                                       .port = portOf(attachment),
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

netlib::Error explained(netlib::Error error, const Attachment& attachment) {
  if (error.code == EXFULL) {
    error.message = "bridge " + attachment.bridge.name.toString() +
                    " has 1023 ports, the most that the kernel allows: use a second network with another bridge";
  }
  return error;
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
    return netlib::fail(explained(created.error(), attachment_));
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
  if (!veth) return netlib::fail(veth.error());
  if (!veth->up()) return broken(name() + " is down in the host");
  const auto bridge = link::find(host.route, attachment_.bridge.name);
  if (!bridge || bridge->index != veth->master) {
    return broken(name() + " is no port of bridge " + attachment_.bridge.name.toString());
  }
  if (veth->hairpin != attachment_.hairpin) return broken(name() + " has another hairpin mode");
  if (veth->isolated != attachment_.isolated) return broken(name() + " has another port isolation");
  if (veth->group != guard::groupOf(attachment_.guard)) {
    return broken(name() + " is in another link group: the spoof guard goes by it");
  }
  return {};
}

netlib::Result<> VethPair::repair(Host& host) const {
  const auto veth = link::find(host.route, attachment_.hostVeth);
  if (veth.failedWith(ENODEV)) return netlib::fail(ENODEV, "only a new start of the container brings it back");
  if (!veth) return netlib::fail(veth.error());
  netlib::Batch batch;
  link::appendSetGroup(batch, veth->index, guard::groupOf(attachment_.guard));
  link::appendSetMaster(batch, veth->index, host.bridge.index);
  link::appendSetUp(batch, veth->index);
  link::appendSetPort(batch, veth->index, portOf(attachment_));
  TRY(host.route.request(batch));
  return {};
}

}  // namespace pons

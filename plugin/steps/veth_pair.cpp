#include "plugin/context/link_owner.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/steps/steps.h"

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

/// For a request that was executed although its answer was lost. Name and MAC address are derived from the key.
netlib::Result<> removeIfMade(Host& host, const Attachment& attachment) {
  const auto made = link::find(host.route, attachment.hostVeth);
  if (!made || made->mac != attachment.hostMac) return {};
  return link::remove(host.route, attachment.hostVeth);
}

std::string onOff(bool on) { return on ? "on" : "off"; }

netlib::Error nameTaken(const Attachment& attachment) {
  return {EEXIST, "the container already has an interface " + attachment.key.ifName.toString() + " (in " +
                      attachment.netnsPath + ")"};
}

netlib::Error explained(netlib::Error error, const Attachment& attachment) {
  if (error.code == EXFULL) {
    error.message = "bridge " + attachment.bridge.name.toString() +
                    " has 1023 ports, the most that the kernel allows: use a second network with another bridge";
  }
  return error;
}

class VethPair final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override {
    return "veth " + attachment_.hostVeth.toString() + " to " + attachment_.key.ifName.toString();
  }

  netlib::Result<> apply(Host& host) const override {
    auto created = create(host, attachment_);
    if (created.failedWith(EEXIST)) {
      // The kernel does not report which of the two names is in use. ENODEV: the container's; or the kernel, which
      // removes the links of a namespace asynchronously, has removed the orphan meanwhile.
      const auto cleared = removeOrphan(host, attachment_.hostVeth, "veth");
      if (!cleared && !cleared.failedWith(ENODEV)) return cleared;
      created = create(host, attachment_);
      if (created.failedWith(EEXIST)) return netlib::fail(nameTaken(attachment_));
    }
    if (!created) {
      // The first error is the one to report.
      static_cast<void>(removeIfMade(host, attachment_));
      return netlib::fail(explained(created.error(), attachment_));
    }
    host.containerIndex = *created;
    return {};
  }

  netlib::Result<> undo(Host& host) const override {
    return netlib::ignoring(ENODEV, link::remove(host.route, attachment_.hostVeth));
  }

  netlib::Result<> verify(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (veth.failedWith(ENODEV)) return broken(name() + " is gone");
    if (!veth) return netlib::fail(veth.error());
    if (!veth->up()) return broken(name() + " is down in the host");
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (!bridge || bridge->index != veth->master) {
      return broken(name() + " is not attached to bridge " + attachment_.bridge.name.toString());
    }
    if (veth->hairpin != attachment_.hairpin)
      return broken(name() + " has hairpin mode " + onOff(veth->hairpin) + ", expected " + onOff(attachment_.hairpin));
    if (veth->isolated != attachment_.isolated)
      return broken(name() + " has port isolation " + onOff(veth->isolated) + ", expected " +
                    onOff(attachment_.isolated));
    if (veth->group != guard::groupOf(attachment_.guard)) {
      return broken(name() + " is in link group " + std::to_string(veth->group) + ", expected " +
                    std::to_string(guard::groupOf(attachment_.guard)) + ": the spoof guard is not applied");
    }
    return {};
  }

  netlib::Result<> repair(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (veth.failedWith(ENODEV)) return netlib::fail(ENODEV, "restart the container");
    if (!veth) return netlib::fail(veth.error());
    netlib::Batch batch;
    link::appendSetGroup(batch, veth->index, guard::groupOf(attachment_.guard));
    link::appendSetMaster(batch, veth->index, host.bridge.index);
    link::appendSetUp(batch, veth->index);
    link::appendSetPort(batch, veth->index, portOf(attachment_));
    TRY(host.route.request(batch));
    return {};
  }
};

}  // namespace

StepPointer vethPair(const Attachment& attachment) { return std::make_unique<const VethPair>(attachment); }

}  // namespace pons

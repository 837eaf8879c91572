#include "plugin/context/link_owner.h"
#include "plugin/context/port_vlans.h"
#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;

namespace {

netlib::Result<link::CreatedVeth> create(Host& host, const Attachment& attachment) {
  return link::createVeth(host.route, {.hostName = attachment.hostVeth,
                                       .hostMac = attachment.hostMac,
                                       .alias = attachmentAlias(host.ledger.path(), attachment.key),
                                       .group = guard::groupOf(attachment),
                                       .master = host.bridge.index,
                                       .masterMtu = host.bridge.mtu,
                                       .port = {.hairpin = attachment.hairpin, .isolated = attachment.isolated},
                                       .peerName = attachment.key.ifName,
                                       .peerMac = attachment.containerMac,
                                       .peerNetns = host.container->netns.fd(),
                                       .mtu = attachment.mtu});
}

/// With what `batch` has. The caller holds the host lock, so that the bridge's policy does not change meanwhile.
netlib::Result<> setPort(Host& host, const Attachment& attachment, unsigned index, netlib::Batch batch = {}) {
  const bool isolated = TRY(bridges::isPortIsolated(host.ledger, attachment));
  link::appendSetPort(batch, index, {.hairpin = attachment.hairpin, .isolated = isolated});
  TRY(host.route.request(batch));
  return {};
}

/// Looks once the port exists: the first attachment that isolates the bridge lists the ports after its reference is
/// there, so one of both sees the other. No frame passes before: the container's interface is still down.
netlib::Result<> isolateIfReferenced(Host& host, const Attachment& attachment) {
  if (attachment.isolated || !TRY(bridges::isPortIsolated(host.ledger, attachment))) return {};
  const auto lock = TRY(host.ledger.lockHost());
  return setPort(host, attachment, TRY(link::find(host.route, attachment.hostVeth)).index);
}

/// The names of links derive from the key alone. Where it exists already createVeth() changes that link, so another
/// ledger's with the same key has to be found before. A bridge of our own proves that there is no other ledger.
netlib::Result<> requireOwnName(Host& host, const Attachment& attachment) {
  if (isOwn(host, host.bridge)) return {};
  const auto present = link::find(host.route, attachment.hostVeth);
  const auto other = present ? otherLedgerOf(host, *present) : std::nullopt;
  return other ? netlib::fail(belongsToOther("link " + present->name, *other)) : netlib::Result<>{};
}

netlib::Error nameTaken(const Attachment& attachment) {
  return {netlib::Cause::InUse, 0,
          "the container already has an interface " + attachment.key.ifName.toString() + " (in " +
              attachment.netnsPath + ")"};
}

netlib::Error explained(Host& host, netlib::Error error, const Attachment& attachment) {
  if (error.isErrno(EXFULL)) {
    error.message = "bridge " + attachment.bridge.name.toString() +
                    " has 1023 ports, the most that the kernel allows: use a second network with another bridge";
  }
  // undo() removes by name. MAC and name are derived from the key: a link with another MAC is foreign.
  const auto present = link::find(host.route, attachment.hostVeth);
  if (present && present->mac != attachment.hostMac) error.cause = netlib::Cause::InUse;
  return error;
}

/// A port of another bridge has that one's settings: they follow with the right one.
netlib::Result<> comparePort(Differences& found, Host& host, const Attachment& attachment, const link::Link& veth) {
  if (veth.master != host.bridge.index) {
    const auto master = link::find(host.route, veth.master);
    found.push_back({.what = "bridge of " + veth.name,
                     .expected = host.bridge.name,
                     .actual = veth.master != 0 && master ? master->name : "none"});
    return {};
  }
  const bool isolated = TRY(bridges::isPortIsolated(host.ledger, attachment));
  addIfDiffers(
      found,
      {.what = "hairpin mode of " + veth.name, .expected = onOff(attachment.hairpin), .actual = onOff(veth.hairpin)});
  addIfDiffers(found,
               {.what = "isolation of " + veth.name, .expected = onOff(isolated), .actual = onOff(veth.isolated)});
  return {};
}

class VethPair final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override {
    return "veth " + attachment_.hostVeth.toString() + " to " + attachment_.key.ifName.toString();
  }

  netlib::Result<> apply(Host& host) const override {
    TRY(requireOwnName(host, attachment_));
    auto created = create(host, attachment_);
    if (created.failedWith(EEXIST)) {
      // The kernel does not report which of the two names is in use. ENODEV: the container's; or the kernel, which
      // removes the links of a namespace asynchronously, has removed the orphan meanwhile.
      const auto cleared = removeOrphan(host, attachment_.hostVeth, "veth");
      if (!cleared && !cleared.failedWith(ENODEV)) return netlib::fail(explained(host, cleared.error(), attachment_));
      created = create(host, attachment_);
      if (created.failedWith(EEXIST)) return netlib::fail(nameTaken(attachment_));
    }
    if (!created) return netlib::fail(explained(host, created.error(), attachment_));
    host.containerIndex = created->peerIndex;
    host.portIndex = created->index;
    if (created->bridge) host.bridge = *std::move(created->bridge);
    return isolateIfReferenced(host, attachment_);
  }

  netlib::Result<> undo(Host& host) const override { return removeNamed(host, attachment_.hostVeth); }

  netlib::Result<Differences> verify(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (veth.failedWith(ENODEV)) return Differences{missing(name(), Remedy::RestartContainer)};
    if (!veth) return netlib::fail(veth.error());
    if (otherLedgerOf(host, *veth)) return Differences{missing(name(), Remedy::RestartContainer)};
    Differences found;
    addIfDiffers(found, {.what = "veth " + veth->name, .expected = "up", .actual = veth->up() ? "up" : "down"});
    // The spoof guard's rules match the group.
    addIfDiffers(found, {.what = "link group of " + veth->name,
                         .expected = std::to_string(guard::groupOf(attachment_)),
                         .actual = std::to_string(veth->group)});
    if (host.bridge.index != 0) TRY(comparePort(found, host, attachment_, *veth));
    return found;
  }

  netlib::Result<> repair(Host& host) const override {
    const auto veth = link::find(host.route, attachment_.hostVeth);
    if (!veth) return netlib::fail(veth.error());
    if (host.bridge.index == 0) {
      return netlib::fail(netlib::Cause::Missing, "bridge " + attachment_.bridge.name.toString() + " is missing");
    }
    netlib::Batch batch;
    link::appendSetGroup(batch, veth->index, guard::groupOf(attachment_));
    link::appendSetMaster(batch, veth->index, host.bridge.index);
    // At once: a new port is in the bridge's default VLAN.
    if (attachment_.vlans && host.bridge.bridgeVlans) {
      appendPortVlans(batch, veth->index, *attachment_.vlans, *host.bridge.bridgeVlans);
    }
    link::appendSetUp(batch, veth->index);
    const auto lock = TRY(host.ledger.lockHost());
    TRY(setPort(host, attachment_, veth->index, std::move(batch)));
    return attachment_.vlans ? raiseVlanLinks(host, TRY(link::find(host.route, host.bridge.index)))
                             : netlib::Result<>{};
  }
};

}  // namespace

StepPointer vethPair(const Attachment& attachment) { return std::make_unique<const VethPair>(attachment); }

}  // namespace pons

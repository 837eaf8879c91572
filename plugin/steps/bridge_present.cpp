#include <span>

#include <net/if.h>
#include <sys/random.h>

#include "netlib/os/sysctl.h"

#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;

namespace {

/// Saved in the ledger while the bridge is created: RTM_NEWLINK ignores IFLA_IFALIAS at creation, and a bridge without
/// the alias, left by a killed process, would be taken for a foreign one.
constexpr const char* kBegun = "begun";

constexpr const char* kUp = "up";
constexpr const char* kPromiscuous = "promiscuous";

std::string flagText(bool set) { return set ? "1" : "0"; }

/// Unicast and locally administered. Random: bridges of the same name on several hosts may be in one broadcast domain.
netlib::Result<netlib::MacAddress> randomMac() {
  netlib::MacAddress::Bytes bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return netlib::failErrno("get random bytes for a MAC address");
  }
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0xfc) | 0x02);
  return netlib::MacAddress{bytes};
}

/// accept_ra: a container must not become the host's router (CVE-2020-10749). accept_dad: the link-local address must
/// be usable at once, as the kernel sends no neighbour solicitation for forwarded packets without one, and the first
/// container would be unreachable for two seconds. The settings end with the bridge.
netlib::Result<> setUpIpv6(const netlib::IfName& bridge) {
  for (const char* setting : {"accept_ra", "accept_dad"}) {
    const auto off = netlib::sysctl::write(netlib::sysctl::ofInterface(netlib::Family::Ipv6, bridge, setting), "0");
    if (!off && !off.failedWith(ENOENT)) return netlib::fail(off.error());  // ENOENT: no IPv6 here
  }
  return {};
}

bool isOwn(const link::Link& bridge) { return bridge.alias == kBridgeAlias; }

/// Created by a process that was killed before it set the alias.
netlib::Result<bool> isHalfMade(Host& host, const std::string& hold, const link::Link& bridge) {
  return !isOwn(bridge) && TRY(host.ledger.savedOriginals(hold)).contains(kBegun);
}

/// The alias is set last: a bridge that has it is complete.
netlib::Result<> create(Host& host, const Attachment& attachment) {
  const std::string hold = shared_state::bridge(attachment);
  TRY(host.ledger.saveOriginals(hold, {{kBegun, attachment.bridge.name.toString()}}));
  const auto mac = TRY(randomMac());
  const auto created =
      link::createBridge(host.route, {.name = attachment.bridge.name, .mac = mac, .mtu = attachment.mtu});
  if (!created && !created.failedWith(EEXIST)) return netlib::fail(created.error());  // EEXIST: half made
  TRY(setUpIpv6(attachment.bridge.name));
  TRY(link::setAlias(host.route, attachment.bridge.name, std::string{kBridgeAlias}));
  return host.ledger.forgetOriginals(hold);
}

netlib::Result<link::Link> findWhole(Host& host, const Attachment& attachment) {
  auto found = link::find(host.route, attachment.bridge.name);
  if (found && TRY(isHalfMade(host, shared_state::bridge(attachment), *found)))
    return netlib::fail(ENODEV, "half made");
  return found;
}

netlib::Result<link::Link> findOrCreate(Host& host, const Attachment& attachment) {
  auto found = findWhole(host, attachment);
  if (!found.failedWith(ENODEV)) return found;
  // Serializes two first containers.
  const auto lock = TRY(host.ledger.lockHost());
  found = findWhole(host, attachment);
  if (!found.failedWith(ENODEV)) return found;
  TRY(create(host, attachment));
  return link::find(host.route, attachment.bridge.name);
}

/// Restores the flags that a foreign bridge had before the first attachment.
netlib::Result<> rememberFlags(Host& host, const std::string& hold, const link::Link& bridge) {
  const auto lock = TRY(host.ledger.lockHost());
  return host.ledger.saveOriginals(hold,
                                   {{kUp, flagText(bridge.up())}, {kPromiscuous, flagText(bridge.promiscuous())}});
}

netlib::Result<> restoreFlags(Host& host, const std::string& hold, const link::Link& bridge) {
  const auto originals = TRY(host.ledger.savedOriginals(hold));
  if (originals.empty()) return {};
  const auto flag = [&originals](const char* name, unsigned bit) {
    const auto original = originals.find(name);
    return original != originals.end() && original->second == "1" ? bit : 0U;
  };
  netlib::Batch batch;
  link::appendSetFlags(batch, bridge.index, flag(kUp, IFF_UP) | flag(kPromiscuous, IFF_PROMISC), IFF_UP | IFF_PROMISC);
  TRY(host.route.request(batch));
  return host.ledger.forgetOriginals(hold);
}

class BridgePresent final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "bridge " + attachment_.bridge.name.toString(); }
  std::string sharedState() const override { return shared_state::bridge(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    const BridgeSettings& wanted = attachment_.bridge;
    const link::Link bridge = TRY(findOrCreate(host, attachment_));
    if (bridge.kind != "bridge") {
      return netlib::fail(EINVAL, "link " + wanted.name.toString() + " exists and is not a bridge" +
                                      (bridge.kind.empty() ? "" : " but of kind " + bridge.kind) +
                                      ": choose another name for \"bridge\"");
    }

    netlib::Batch batch;
    const unsigned flags = IFF_UP | (wanted.promiscuous ? unsigned{IFF_PROMISC} : 0U);
    if ((bridge.flags & flags) != flags) {
      if (!isOwn(bridge)) TRY(rememberFlags(host, sharedState(), bridge));
      link::appendSetFlags(batch, bridge.index, flags, flags);
    }
    if (isOwn(bridge)) {
      if (attachment_.mtu != 0 && bridge.mtu != attachment_.mtu)
        link::appendSetMtu(batch, bridge.index, attachment_.mtu);
    } else if (bridge.mac) {
      // A MAC that was set, even to the same value, no longer changes with the ports (NET_ADDR_SET).
      link::appendSetMac(batch, bridge.index, *bridge.mac);
    }
    if (!batch.empty()) TRY(host.route.request(batch));
    host.bridge = bridge;
    return {};
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return host.ledger.forgetOriginals(sharedState());
    if (!bridge) return netlib::fail(bridge.error());
    const bool halfMade = TRY(isHalfMade(host, sharedState(), *bridge));
    if (!isOwn(*bridge) && !halfMade) return restoreFlags(host, sharedState(), *bridge);
    // Keep the bridge while it has foreign ports.
    if (!TRY(link::portsOf(host.route, bridge->index)).empty()) return {};
    TRY(link::remove(host.route, attachment_.bridge.name));
    return host.ledger.forgetOriginals(sharedState());
  }

  netlib::Result<> verify(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return broken(name() + " is gone");
    if (!bridge) return netlib::fail(bridge.error());
    if (bridge->kind != "bridge") return broken(name() + " is no longer a bridge");
    if (!bridge->up()) return broken(name() + " is down");
    host.bridge = *bridge;
    return {};
  }
};

}  // namespace

StepPointer bridgePresent(const Attachment& attachment) { return std::make_unique<const BridgePresent>(attachment); }

}  // namespace pons

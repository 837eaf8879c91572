#include <span>

#include <net/if.h>
#include <sys/random.h>

#include "plugin/context/bridge_originals.h"
#include "plugin/context/link_owner.h"
#include "plugin/context/optional_sysctls.h"
#include "plugin/context/port_vlans.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;

namespace {

/// Of a bridge that pons creates, saved in the ledger before: RTM_NEWLINK ignores IFLA_IFALIAS at creation, and a
/// bridge without the alias, left by a killed process, is recognized by its MAC. It stays saved until the last
/// reference: the bridge that replaces a deleted one has the same MAC, so that the gateway's neighbour entries stay
/// valid.
constexpr const char* kMac = "mac";

/// Of a foreign bridge.
constexpr const char* kUp = "up";
constexpr const char* kPromiscuous = "promiscuous";  // saved by an older pons, where it was part of this state

/// Unicast and locally administered. Random: bridges of the same name on several hosts may be in one broadcast domain.
netlib::Result<netlib::MacAddress> randomMac() {
  netlib::MacAddress::Bytes bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return netlib::failErrno("get random bytes for a MAC address");
  }
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0xfc) | 0x02);
  return netlib::MacAddress{bytes};
}

netlib::Result<std::optional<netlib::MacAddress>> savedMac(Host& host, const std::string& state) {
  const auto originals = TRY(host.ledger.savedOriginals(state));
  const auto mac = originals.find(kMac);
  return mac == originals.end() ? std::nullopt : netlib::MacAddress::parse(mac->second);
}

netlib::Result<netlib::MacAddress> macOfNew(Host& host, const std::string& state) {
  if (const auto saved = TRY(savedMac(host, state))) return *saved;
  const auto mac = TRY(randomMac());
  TRY(host.ledger.forgetOriginals(state));  // of a foreign bridge that no longer exists
  TRY(host.ledger.saveOriginals(state, {{kMac, mac.toString()}}));
  return mac;
}

/// Created by a process that was killed before it set the alias.
netlib::Result<bool> isHalfMade(Host& host, const std::string& state, const link::Link& bridge) {
  return !isOfPons(bridge) && bridge.mac && TRY(savedMac(host, state)) == bridge.mac;
}

/// The alias is set last: a bridge that has it is complete.
netlib::Result<> create(Host& host, const Attachment& attachment) {
  const auto mac = TRY(macOfNew(host, shared_state::bridge(attachment)));
  const auto created = link::createBridge(host.route, {.name = attachment.bridge.name, .mac = mac});
  if (!created && !created.failedWith(EEXIST)) return netlib::fail(created.error());  // EEXIST: half made
  TRY(setUpIpv6(host, attachment.bridge.name));
  return link::setAlias(host.route, attachment.bridge.name, bridgeAlias(host.ledger.path()));
}

/// InUse where another ledger has a bridge on this host: both would change the same tables and sysctls. One whose state
/// directory is gone and that has no ports is no obstacle; it is removed where this attachment needs its name. The
/// caller holds the host lock.
netlib::Result<> requireOnlyLedger(Host& host, const netlib::IfName& name) {
  for (const link::Link& bridge : TRY(link::ofKind(host.route, "bridge"))) {
    const auto other = otherLedgerOf(host, bridge);
    if (!other) continue;
    const bool isLeft = isGone(*other) && TRY(link::portsOf(host.route, bridge.index)).empty();
    const bool isWanted = bridge.name == name.toString();
    if (!isLeft)
      return netlib::fail(belongsToOther((isWanted ? "" : "not created, as ") + ("bridge " + bridge.name), *other));
    if (isWanted) TRY(link::remove(host.route, bridge.index));
  }
  return {};
}

/// Nothing where there is none, or half a one.
netlib::Result<std::optional<link::Link>> findWhole(Host& host, const Attachment& attachment) {
  auto found = link::find(host.route, attachment.bridge.name);
  if (found.failedWith(ENODEV)) return std::optional<link::Link>{};
  if (!found) return netlib::fail(found.error());
  const bool halfMade = TRY(isHalfMade(host, shared_state::bridge(attachment), *found));
  return halfMade ? std::nullopt : std::optional{std::move(*found)};
}

netlib::Result<link::Link> findOrCreate(Host& host, const Attachment& attachment) {
  if (auto found = TRY(findWhole(host, attachment)); found && !otherLedgerOf(host, *found)) return *std::move(found);
  // Serializes two first containers.
  const auto lock = TRY(host.ledger.lockHost());
  TRY(requireOnlyLedger(host, attachment.bridge.name));
  if (auto found = TRY(findWhole(host, attachment))) return *std::move(found);
  TRY(create(host, attachment));
  return link::find(host.route, attachment.bridge.name);
}

netlib::Result<> saveDown(Host& host, const std::string& state, const link::Link& bridge) {
  const auto lock = TRY(host.ledger.lockHost());
  return saveOriginalsOf(host, bridge, state, {{kUp, "0"}});
}

/// The flags that a foreign bridge had before the first attachment.
netlib::Result<> restoreFlags(Host& host, const std::string& state, const link::Link& bridge) {
  netlib::Batch batch;
  for (const auto& [name, value] : TRY(originalsOf(host, bridge, state))) {
    const unsigned flag = name == kUp ? IFF_UP : name == kPromiscuous ? IFF_PROMISC : 0;
    if (flag != 0) link::appendSetFlags(batch, bridge.index, value == "1" ? flag : 0, flag);
  }
  TRY(host.route.request(batch));
  return host.ledger.forgetOriginals(state);
}

class BridgePresent final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "bridge " + attachment_.bridge.name.toString(); }
  std::string sharedState() const override { return shared_state::bridge(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    const link::Link bridge = TRY(findOrCreate(host, attachment_));
    if (bridge.kind != "bridge") {
      return netlib::fail(netlib::Cause::Invalid, "link " + bridge.name + " exists and is not a bridge" +
                                                      (bridge.kind.empty() ? "" : " but of kind " + bridge.kind) +
                                                      ": choose another name for \"bridge\"");
    }

    netlib::Batch batch;
    if (!bridge.up()) {
      if (!isOfPons(bridge)) TRY(saveDown(host, sharedState(), bridge));
      link::appendSetUp(batch, bridge.index);
    }
    // A MAC that was set, even to the same value, no longer changes with the ports (NET_ADDR_SET).
    if (!isOfPons(bridge) && bridge.mac) link::appendSetMac(batch, bridge.index, *bridge.mac);
    TRY(host.route.request(batch));
    const auto alias = parseAlias(bridge.alias);
    // Made by an earlier pons.
    if (alias && alias->ledger.empty()) {
      TRY(link::setAlias(host.route, attachment_.bridge.name, bridgeAlias(host.ledger.path())));
    }
    TRY(requireVlan(bridge));
    host.bridge = bridge;
    return {};
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return host.ledger.forgetOriginals(sharedState());
    if (!bridge) return netlib::fail(bridge.error());
    if (TRY(isInOthersUse(host, *bridge))) return host.ledger.forgetOriginals(sharedState());
    const bool halfMade = TRY(isHalfMade(host, sharedState(), *bridge));
    if (!isOfPons(*bridge) && !halfMade) return restoreFlags(host, sharedState(), *bridge);
    // Keep the bridge while it has foreign ports.
    if (TRY(link::portsOf(host.route, bridge->index)).empty()) TRY(link::remove(host.route, attachment_.bridge.name));
    return host.ledger.forgetOriginals(sharedState());
  }

  /// The port that has left may be the one that had the smallest MTU.
  netlib::Result<> leave(Host& host) const override {
    if (!TRY(host.ledger.mayBeReferenced(shared_state::vlanFiltering(attachment_.bridge.name)))) return {};
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return {};
    return bridge ? raiseVlanLinks(host, *bridge) : netlib::fail(bridge.error());
  }

  const link::Link* provided(const Host& host) const override { return &host.bridge; }

  netlib::Result<Differences> verify(Host& host) const override {
    host.bridge = {};
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return Differences{missing(name())};
    if (!bridge) return netlib::fail(bridge.error());
    if (bridge->kind != "bridge") {
      return Differences{{.what = "kind of link " + bridge->name,
                          .expected = "bridge",
                          .actual = bridge->kind.empty() ? "no bridge" : bridge->kind,
                          .remedy = Remedy::ChangeConfiguration}};
    }
    if (const auto other = otherLedgerOf(host, *bridge)) {
      return Differences{{.what = "state directory of bridge " + bridge->name,
                          .expected = host.ledger.path(),
                          .actual = stateDirOf(*other).value_or(*other),
                          .remedy = Remedy::ChangeConfiguration}};
    }
    host.bridge = *bridge;
    Differences found;
    addIfDiffers(found, {.what = name(), .expected = "up", .actual = bridge->up() ? "up" : "down"});
    return found;
  }

 private:
  /// A new port of such a bridge would be in no VLAN, and pass no frame.
  netlib::Result<> requireVlan(const link::Link& bridge) const {
    const link::BridgeVlans vlans = bridge.bridgeVlans.value_or(link::BridgeVlans{});
    if (attachment_.vlans || !vlans.filtering || vlans.defaultPvid != 0) return {};
    return netlib::fail(
        netlib::Cause::Invalid,
        "bridge " + bridge.name +
            " filters VLANs, and a new port is in none (vlan_default_pvid 0): set \"vlan\" or \"vlanTrunk\"");
  }
};

}  // namespace

StepPointer bridgePresent(const Attachment& attachment) { return std::make_unique<const BridgePresent>(attachment); }

}  // namespace pons

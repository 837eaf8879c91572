#include <algorithm>
#include <map>

#include "netlib/os/sysctl.h"

#include "plugin/context/link_owner.h"
#include "plugin/context/optional_sysctls.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace sysctl = netlib::sysctl;

namespace {

using Originals = std::map<std::string, std::string>;

/// Saved originals that are not sysctls: the bridges that existed before.
constexpr std::string_view kBridgePrefix = "bridge ";

std::string confOf(netlib::Family family) { return family == netlib::Family::Ipv4 ? "net/ipv4/conf" : "net/ipv6/conf"; }

/// The host-wide sysctl. Writing it sets every interface's own value as well, and for IPv4 all/accept_redirects.
std::string sysctlOf(netlib::Family family) {
  return family == netlib::Family::Ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
}

netlib::Result<> rememberInterfaces(netlib::Family family, Originals& originals) {
  for (const std::string& interface : TRY(sysctl::entries(confOf(family)))) {
    if (interface == "all") continue;  // the host-wide sysctl under another name
    const std::string base = confOf(family) + "/" + interface;
    originals[base + "/forwarding"] = TRY(sysctl::read(base + "/forwarding"));
    // "default" is for links to come, mostly containers' rather than uplinks.
    if (family == netlib::Family::Ipv6 && interface != "default") {
      originals[base + "/accept_ra"] = TRY(sysctl::read(base + "/accept_ra"));
    }
  }
  if (family == netlib::Family::Ipv4) {
    originals["net/ipv4/conf/all/accept_redirects"] = TRY(sysctl::read("net/ipv4/conf/all/accept_redirects"));
  }
  return {};
}

netlib::Result<Originals> originalsOf(Host& host, netlib::Family family) {
  Originals originals;
  originals[sysctlOf(family)] = TRY(sysctl::read(sysctlOf(family)));
  TRY(rememberInterfaces(family, originals));
  for (const auto& bridge : TRY(netlib::link::ofKind(host.route, "bridge"))) {
    originals[std::string{kBridgePrefix} + bridge.name] = "present";
  }
  return originals;
}

/// A forwarding host ignores router advertisements unless accept_ra is 2, and deletes its default routes that came from
/// them when forwarding is enabled (ip-sysctl.rst). So accept_ra changes first.
netlib::Result<> keepRouterAdvertisements(const Originals& originals) {
  for (const auto& [name, value] : originals) {
    if (!name.ends_with("/accept_ra") || value != "1") continue;
    const auto kept = sysctl::write(name, "2");
    // Then forwarding cannot be set either, and that error is the one to report.
    if (!kept && !sysctl::isUnsettable(kept)) return kept;
  }
  return {};
}

/// The sysctl has no owner: Docker, the reference plugins and another ledger of pons find it set and write nothing. But
/// they create a bridge, or add ports to one, and with these it stays on.
netlib::Result<bool> neededByOthers(Host& host, const Originals& originals) {
  for (const auto& bridge : TRY(netlib::link::ofKind(host.route, "bridge"))) {
    const bool isNew = !originals.contains(std::string{kBridgePrefix} + bridge.name);
    if (otherLedgerOf(host, bridge) || (isOwn(host, bridge) ? TRY(servesOthers(host, bridge)) : isNew)) return true;
  }
  const auto veths = TRY(netlib::link::ofKind(host.route, "veth"));
  return std::ranges::any_of(veths, [&](const auto& veth) { return otherLedgerOf(host, veth).has_value(); });
}

/// With forwarding off, 1 and 2 mean the same.
netlib::Result<> restoreRouterAdvertisements(Host& host, const Originals& originals) {
  Originals restored;
  for (const auto& [name, value] : originals) {
    if (!name.ends_with("/accept_ra") || value != "1") continue;
    const auto current = sysctl::read(name);
    if (current && *current == "2") restored[name] = "1";
  }
  return setWherePossible(host, restored);
}

netlib::Result<> restore(Host& host, netlib::Family family, const Originals& originals) {
  // The host-wide sysctl first, as it overwrites the others.
  const std::string hostWide = sysctlOf(family);
  TRY(setWherePossible(host, {{hostWide, originals.at(hostWide)}}));
  if (TRY(sysctl::read(hostWide)) != originals.at(hostWide)) return {};  // nor can the others be set
  Originals sysctls = originals;
  std::erase_if(sysctls, [](const auto& one) { return !one.first.starts_with("net/"); });
  return setWherePossible(host, sysctls);
}

class IpForwardingEnabled final : public Step {
 public:
  explicit IpForwardingEnabled(netlib::Family family) : family_(family) {}

  std::string name() const override { return std::string{nameOf(family_)} + " forwarding"; }
  std::string sharedState() const override { return shared_state::ipForwarding(family_); }

  netlib::Result<> apply(Host& host) const override {
    // Read each time: another program may have switched it off since the first container.
    if (TRY(sysctl::read(sysctlOf(family_))) == "1") return {};

    const auto lock = TRY(host.ledger.lockHost());
    const Originals originals = TRY(originalsOf(host, family_));
    if (originals.at(sysctlOf(family_)) == "1") return {};
    TRY(host.ledger.saveOriginals(sharedState(), originals));
    if (family_ == netlib::Family::Ipv6) TRY(keepRouterAdvertisements(originals));
    return sysctl::write(sysctlOf(family_), "1");
  }

  netlib::Result<> undo(Host& host) const override {
    const Originals originals = TRY(host.ledger.savedOriginals(sharedState()));
    if (!originals.contains(sysctlOf(family_))) return host.ledger.forgetOriginals(sharedState());
    if (TRY(sysctl::read(sysctlOf(family_))) != "1") {
      // Another program has switched it off since, and its settings stay; or an ADD was killed before it was on.
      TRY(restoreRouterAdvertisements(host, originals));
    } else if (!TRY(neededByOthers(host, originals))) {
      TRY(restore(host, family_, originals));
    }
    return host.ledger.forgetOriginals(sharedState());
  }

  netlib::Result<Differences> verify(Host&) const override {
    const std::string value = TRY(sysctl::read(sysctlOf(family_)));
    Differences found;
    addIfDiffers(found, {.what = "sysctl " + sysctlOf(family_), .expected = "1", .actual = value});
    return found;
  }

 private:
  netlib::Family family_;
};

}  // namespace

StepPointer ipForwardingEnabled(netlib::Family family) { return std::make_unique<const IpForwardingEnabled>(family); }

}  // namespace pons

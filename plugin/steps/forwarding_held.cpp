#include "plugin/steps/forwarding_held.h"

#include <map>

#include "netlib/os/sysctl.h"

#include "plugin/context/link_owner.h"

namespace pons {

namespace sysctl = netlib::sysctl;

namespace {

using Originals = std::map<std::string, std::string>;

/// Names in the ledger's originals that are no sysctls: a bridge that was there before us.
constexpr std::string_view kBridgePrefix = "bridge ";

std::string confOf(netlib::Family family) { return family == netlib::Family::Ipv4 ? "net/ipv4/conf" : "net/ipv6/conf"; }

/// The host's switch. Writing it writes every interface's own value too, and for IPv4 all/accept_redirects.
std::string switchOf(netlib::Family family) {
  return family == netlib::Family::Ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
}

netlib::Result<> rememberInterfaces(netlib::Family family, Originals& originals) {
  for (const std::string& interface : TRY(sysctl::entries(confOf(family)))) {
    if (interface == "all") continue;  // the switch itself under another name
    const std::string base = confOf(family) + "/" + interface;
    originals[base + "/forwarding"] = TRY(sysctl::read(base + "/forwarding"));
    // "default" is for links to come, and those are containers' more often than uplinks.
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
  originals[switchOf(family)] = TRY(sysctl::read(switchOf(family)));
  TRY(rememberInterfaces(family, originals));
  for (const auto& bridge : TRY(netlib::link::ofKind(host.route, "bridge"))) {
    originals[std::string{kBridgePrefix} + bridge.name] = "present";
  }
  return originals;
}

/// A forwarding host ignores router advertisements unless accept_ra is 2, and drops the default routes that it has from
/// them when it begins to forward. So the links that live from advertisements change first.
netlib::Result<> keepRouterAdvertisements(const Originals& originals) {
  for (const auto& [name, value] : originals) {
    if (name.ends_with("/accept_ra") && value == "1") TRY(sysctl::write(name, "2"));
  }
  return {};
}

/// Forwarding carries no mark of who needs it: Docker and the reference plugins find it on and write nothing. But
/// whoever needs it brings a bridge, or ports of ours where the reference plugins came back, so with these it stays on
/// (W42).
netlib::Result<bool> neededByOthers(Host& host, const Originals& originals) {
  for (const auto& bridge : TRY(netlib::link::ofKind(host.route, "bridge"))) {
    const bool isNew = !originals.contains(std::string{kBridgePrefix} + bridge.name);
    if (isOfPons(bridge) ? TRY(servesOthers(host, bridge)) : isNew) return true;
  }
  return false;
}

/// An interface that has gone meanwhile has nothing to restore.
netlib::Result<> writeIfPresent(const std::string& name, const std::string& value) {
  const auto current = sysctl::read(name);
  if (current.failedWith(ENOENT)) return {};
  if (!current) return netlib::fail(current.error());
  return *current == value ? netlib::Result<>{} : sysctl::write(name, value);
}

/// With forwarding off 1 and 2 mean the same, so this takes nothing from whoever switched it off.
netlib::Result<> restoreRouterAdvertisements(const Originals& originals) {
  for (const auto& [name, value] : originals) {
    if (!name.ends_with("/accept_ra") || value != "1") continue;
    const auto current = sysctl::read(name);
    if (current && *current == "2") TRY(sysctl::write(name, "1"));
  }
  return {};
}

netlib::Result<> restore(netlib::Family family, const Originals& originals) {
  // The switch first, as it overwrites the others.
  TRY(writeIfPresent(switchOf(family), originals.at(switchOf(family))));
  for (const auto& [name, value] : originals) {
    if (name.starts_with("net/")) TRY(writeIfPresent(name, value));
  }
  return {};
}

}  // namespace

std::string ForwardingHeld::name() const { return std::string{nameOf(family_)} + " forwarding"; }

std::string ForwardingHeld::hold() const { return hold::forwarding(family_); }

netlib::Result<> ForwardingHeld::apply(Host& host) const {
  // Always looked at, never assumed from a record: anybody may have switched it off (W41).
  if (TRY(sysctl::read(switchOf(family_))) == "1") return {};

  const auto lock = TRY(host.ledger.lockHost());
  const Originals originals = TRY(originalsOf(host, family_));
  if (originals.at(switchOf(family_)) == "1") return {};
  TRY(host.ledger.remember(hold(), originals));
  if (family_ == netlib::Family::Ipv6) TRY(keepRouterAdvertisements(originals));
  return sysctl::write(switchOf(family_), "1");
}

netlib::Result<> ForwardingHeld::undo(Host& host) const {
  const Originals originals = TRY(host.ledger.remembered(hold()));
  if (!originals.contains(switchOf(family_))) return host.ledger.forget(hold());
  if (TRY(sysctl::read(switchOf(family_))) != "1") {
    // Somebody switched it off meanwhile, and what he set since then is his; or an ADD was killed before it was on.
    TRY(restoreRouterAdvertisements(originals));
  } else if (!TRY(neededByOthers(host, originals))) {
    TRY(restore(family_, originals));
  }
  return host.ledger.forget(hold());
}

netlib::Result<> ForwardingHeld::verify(Host&) const {
  if (TRY(sysctl::read(switchOf(family_))) == "1") return {};
  return broken(name() + " is off (" + switchOf(family_) + ")");
}

}  // namespace pons

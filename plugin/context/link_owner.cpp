#include "plugin/context/link_owner.h"

#include <algorithm>

#include <unistd.h>

namespace pons {

namespace link = netlib::link;

bool isOfPons(const link::Link& link) { return parseAlias(link.alias).has_value(); }

bool isOwn(const Host& host, const link::Link& link) { return isOfPons(link) && !otherLedgerOf(host, link); }

std::optional<std::string> otherLedgerOf(const Host& host, const link::Link& link) {
  const auto alias = parseAlias(link.alias);
  if (!alias || alias->ledger.empty() || alias->ledger == ledgerWord(host.ledger.path())) return std::nullopt;
  return alias->ledger;
}

bool isGone(const std::string& ledgerWord) {
  const auto path = stateDirOf(ledgerWord);
  return path && path->starts_with('/') && access(path->c_str(), F_OK) != 0 && errno == ENOENT;
}

netlib::Result<bool> isAbandoned(Host& host, const std::string& ledgerWord) {
  if (!isGone(ledgerWord)) return false;
  for (const char* kind : {"veth", "ifb"}) {
    for (const link::Link& candidate : TRY(link::ofKind(host.route, kind))) {
      const auto alias = parseAlias(candidate.alias);
      if (alias && alias->ledger == ledgerWord) return false;
    }
  }
  return true;
}

netlib::Error belongsToOther(const std::string& what, const std::string& ledgerWord) {
  const std::string directory = stateDirOf(ledgerWord).value_or(ledgerWord);
  const std::string remedy =
      isGone(ledgerWord)
          ? ", which does not exist any more, though containers may still use it: \"ponsctl gc --state-dir " +
                directory + "\" lists what is left"
          : ": a host has one state directory, so set \"stateDir\" to that one";
  return {netlib::Cause::InUse, 0, what + " belongs to the state directory " + directory + remedy};
}

netlib::Result<bool> isInOthersUse(Host& host, const link::Link& bridge) {
  if (isOwn(host, bridge)) return false;
  if (otherLedgerOf(host, bridge)) return true;
  const auto ports = TRY(link::portsOf(host.route, bridge.index));
  return std::ranges::any_of(ports, [&host](const link::Link& port) { return otherLedgerOf(host, port).has_value(); });
}

netlib::Result<bool> servesOthers(Host& host, const link::Link& bridge) {
  const auto ports = TRY(link::portsOf(host.route, bridge.index));
  return !std::ranges::all_of(ports, [&host](const link::Link& port) { return isOwn(host, port); });
}

netlib::Result<> removeNamed(Host& host, const netlib::IfName& name) {
  const auto found = link::find(host.route, name);
  if (found.failedWith(ENODEV)) return {};
  if (!found) return netlib::fail(found.error());
  return otherLedgerOf(host, *found) ? netlib::Result<>{}
                                     : netlib::ignoring(ENODEV, link::remove(host.route, found->index));
}

netlib::Result<> removeOrphan(Host& host, const netlib::IfName& name, const std::string& kind) {
  const link::Link orphan = TRY(link::find(host.route, name));
  if (const auto other = otherLedgerOf(host, orphan)) {
    return netlib::fail(belongsToOther("link " + name.toString(), *other));
  }
  if (orphan.kind != kind || !isOfPons(orphan)) {
    return netlib::fail(netlib::Cause::InUse,
                        "link " + name.toString() + " already exists and was not created by pons: remove it");
  }
  return link::remove(host.route, orphan.index);
}

}  // namespace pons

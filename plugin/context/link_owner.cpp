#include "plugin/context/link_owner.h"

#include <algorithm>

namespace pons {

namespace link = netlib::link;

bool isOfPons(const link::Link& link) { return link.alias.starts_with(kAliasPrefix); }

netlib::Result<bool> servesOthers(Host& host, const link::Link& bridge) {
  return !std::ranges::all_of(TRY(link::portsOf(host.route, bridge.index)), isOfPons);
}

netlib::Result<> removeLeftover(Host& host, const netlib::IfName& name, const std::string& kind) {
  const link::Link leftover = TRY(link::find(host.route, name));
  if (leftover.kind != kind || !isOfPons(leftover)) {
    return netlib::fail(EEXIST, "link " + name.toString() + " exists and is not of pons: remove it");
  }
  return link::remove(host.route, leftover.index);
}

}  // namespace pons

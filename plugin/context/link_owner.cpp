#include "plugin/context/link_owner.h"

#include <algorithm>

namespace pons {

namespace link = netlib::link;

bool isOfPons(const link::Link& link) { return link.alias.starts_with(kAliasPrefix); }

netlib::Result<bool> servesOthers(Host& host, const link::Link& bridge) {
  return !std::ranges::all_of(TRY(link::portsOf(host.route, bridge.index)), isOfPons);
}

netlib::Result<> removeOrphan(Host& host, const netlib::IfName& name, const std::string& kind) {
  const link::Link orphan = TRY(link::find(host.route, name));
  if (orphan.kind != kind || !isOfPons(orphan)) {
    return netlib::fail(EEXIST, "link " + name.toString() + " already exists and was not created by pons: remove it");
  }
  return link::remove(host.route, orphan.index);
}

}  // namespace pons

#include "plugin/steps/leftover.h"

namespace pons {

netlib::Result<> removeLeftover(Host& host, const netlib::IfName& name, const std::string& kind) {
  const netlib::link::Link leftover = TRY(netlib::link::find(host.route, name));
  if (leftover.kind != kind || !leftover.alias.starts_with("pons ")) {
    return netlib::fail(EEXIST, "link " + name.toString() + " exists and is not of pons: remove it");
  }
  return netlib::link::remove(host.route, leftover.index);
}

}  // namespace pons

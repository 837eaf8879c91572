#include "plugin/steps/bridge_port.h"

namespace pons {

namespace link = netlib::link;

std::string BridgePort::name() const {
  return "port " + attachment_.hostVeth.toString() + " of bridge " + attachment_.bridge.name.toString();
}

netlib::Result<> BridgePort::apply(Host& host) const {
  auto joined = link::joinBridge(host.route, attachment_.hostVeth, host.bridge.index,
                                 {.hairpin = attachment_.hairpin, .isolated = attachment_.isolated});
  if (!joined.failedWith(EXFULL)) return joined;
  return netlib::fail(EXFULL, "bridge " + attachment_.bridge.name.toString() +
                                  " has 1023 ports, the most that the kernel allows: use a second network with another "
                                  "bridge");
}

netlib::Result<> BridgePort::undo(Host& host) const {
  const auto left = link::leaveBridge(host.route, attachment_.hostVeth);
  return left.failedWith(ENODEV) ? netlib::Result<>{} : left;
}

netlib::Result<> BridgePort::verify(Host& host) const {
  const std::string veth = "veth " + attachment_.hostVeth.toString();
  const auto port = link::find(host.route, attachment_.hostVeth);
  if (port.failedWith(ENODEV)) return broken(veth + " is gone");
  if (!port) return netlib::fail(port.error());
  if (!port->up()) return broken(veth + " is down in the host");
  const auto bridge = link::find(host.route, attachment_.bridge.name);
  if (!bridge || bridge->index != port->master) {
    return broken(veth + " is no port of bridge " + attachment_.bridge.name.toString());
  }
  if (port->hairpin != attachment_.hairpin) return broken(veth + " has another hairpin mode");
  if (port->isolated != attachment_.isolated) return broken(veth + " has another port isolation");
  return {};
}

}  // namespace pons

// State, traffic and orphans of a container on a network, for comparison of pons with the reference plugins.
#pragma once

#include "tests/compat/side.h"

namespace support {

/// The facts of one run.
struct Visit {
  Facts facts;
  std::string left;  ///< how the host differs from before, after the last DEL; empty where it does not
};

/// Attaches two containers to the network, records result, interfaces, addresses, routes and kernel parameters of the
/// first one and of the host, tries traffic on every path, calls CHECK if the version has it, and detaches both.
Visit visit(const std::string& plugins, const Conflist& list, const std::string& capabilities);

/// The state of the container and of what the host has for it, with names and MACs that differ from host to host
/// renamed.
Facts stateOf(Side& side, const Attached& attached);

/// Reachability and source address of gateway, outside, published port and neighbour.
Facts trafficOf(Side& side, const Conflist& list, const Attached& first, const Attached& second);

}  // namespace support

// What a container on a network sees, does and leaves behind: the same on both sides.
#pragma once

#include "tests/compat/side.h"

namespace support {

/// What a visit tells.
struct Visit {
  Facts facts;
  std::string left;  ///< how the host differs from before, after the last DEL; empty where it does not
};

/// Two containers come to the network: result, interfaces, addresses, routes and kernel parameters of the first one and
/// of the host are written down, traffic is tried on every path, CHECK is called where the version has it, and both go.
Visit visit(const std::string& plugins, const Conflist& list, const std::string& capabilities);

/// The state of the container and of what the host has for it, with names and MACs that differ from host to host
/// renamed.
Facts stateOf(Side& side, const Attached& attached);

/// Whether and as whom each is reached: gateway, outside, published port and neighbour.
Facts trafficOf(Side& side, const Conflist& list, const Attached& first, const Attached& second);

}  // namespace support

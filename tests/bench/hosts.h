// Several hosts on one machine, and new containers for each measurement. Measured containers are kept until the end:
// the kernel's deferred cleanup would run during the next samples.
#pragma once

#include <string>

#include "tests/bench/chain.h"
#include "tests/support/fake_host.h"

namespace bench {

/// Where a container accepts connections.
inline constexpr unsigned kContainerPort = 80;
/// Of a host's uplink, and of the external peer.
inline constexpr const char* kHostAddress = "192.0.2.1";
inline constexpr const char* kOutside = "192.0.2.2";

struct Host {
  std::string netns;     ///< path
  std::string stateDir;  ///< of the plugins
  std::string outside;   ///< path of the namespace of the external peer
};

/// A host on which containers of that chain are up.
struct OccupiedHost {
  Host host;
  Chain chain;
};

class Hosts {
 public:
  /// With lo up, and an uplink to an external peer of its own.
  Host add(const std::string& name);

  /// With an empty namespace and a unique port.
  Container container();

  /// For a container that is detached.
  void end(const Container& container) { machine_.removeNamespace(container.netns); }

  /// A new host with containers that stay, so that bridge, address and rules exist, and with one conntrack entry, since
  /// requests on an empty conntrack table are cheaper.
  OccupiedHost occupied(const std::string& name, const ChainOf& chainOf, unsigned count = 1);

  /// New links send neighbour discovery and MLD for a while, and the kernel does deferred work.
  static void settle(unsigned links = 0);

 private:
  support::FakeHost machine_;
  unsigned containers_ = 0;
};

/// A new one.
Container attached(Hosts& hosts, const Chain& chain);

/// "ip -batch" of these commands in the namespace of that path.
void ipIn(const std::string& netns, const std::string& commands);

}  // namespace bench

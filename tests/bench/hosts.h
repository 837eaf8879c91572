// Several hosts on one machine, and new containers for each measurement. Measured containers are kept until the end:
// the kernel's deferred cleanup would run during the next samples.
#pragma once

#include <string>

#include "tests/bench/chain.h"
#include "tests/support/fake_host.h"

namespace bench {

struct Host {
  std::string netns;     ///< path
  std::string stateDir;  ///< of the plugins
  std::string outside;   ///< path of the namespace of the external peer; the host's uplink address is 192.0.2.1
};

class Hosts {
 public:
  /// With lo up, and an uplink to an external peer of its own.
  Host add(const std::string& name);

  /// With an empty namespace and a unique port.
  Container container();

  /// Deletes a namespace and the veth pairs whose other ends are on that host.
  void end(const std::string& netns, const Host& host);

  /// Prepares a host: one container, so that bridge, address and rules exist, and one conntrack entry, since requests
  /// on an empty conntrack table are cheaper.
  void occupy(const Host& host, const Chain& chain);

 private:
  support::FakeHost machine_;
  unsigned containers_ = 0;
};

/// "ip -batch" of these commands in the namespace of that path.
void ipIn(const std::string& netns, const std::string& commands);

}  // namespace bench

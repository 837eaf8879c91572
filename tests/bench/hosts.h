// A machine with hosts side by side, and new containers for each measurement. What was measured
// is not removed while it lives: the kernel would clean up behind it during the next samples.
#pragma once

#include <string>

#include "tests/bench/chain.h"
#include "tests/support/fake_host.h"

namespace bench {

struct Host {
  std::string netns;     ///< path
  std::string stateDir;  ///< of the plugins
  std::string outside;   ///< path of the namespace of the rest of the world; the host is 192.0.2.1 there
};

class Hosts {
 public:
  /// With lo up, as a running machine has it, and an uplink to its own outside.
  Host add(const std::string& name);

  /// With an empty namespace and a port that no other has.
  Container container();

  /// Takes a namespace away with the links in it, of which the other ends are on that host.
  void end(const std::string& netns, const Host& host);

  /// Makes a host one that is in use: a container that stays, so that bridge, address and rules are there, and a
  /// tracked connection, as an empty connection table makes some requests too cheap.
  void occupy(const Host& host, const Chain& chain);

 private:
  support::FakeHost machine_;
  unsigned containers_ = 0;
};

/// "ip -batch" of these commands in the namespace of that path.
void ipIn(const std::string& netns, const std::string& commands);

}  // namespace bench

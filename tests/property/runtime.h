// A container runtime of the property test: calls the built programs with the settings of the model.
#pragma once

#include "tests/property/model.h"
#include "tests/support/process.h"

namespace property {

/// Calls one program after the other; tests/storm calls many at once.
class Runtime {
 public:
  /// Links for the names of the reference plugins, below /run of the fake host.
  Runtime();

  /// ADD of each plugin of the network, until one fails. The network namespace is the one at /run/netns/<container>;
  /// it requests the addresses with that number.
  support::Outcome add(const std::string& container, const Attachment& attachment, unsigned address);
  /// The first one that fails.
  support::Outcome check(const std::string& container, const Attachment& attachment) const;
  support::Outcome del(const std::string& container, const Attachment& attachment);
  support::Outcome gc(const Network& network, const std::optional<std::set<unsigned>>& valid) const;
  support::Outcome status(const Network& network) const;
  support::Outcome ponsctl(const std::vector<std::string>& arguments) const;

 private:
  std::map<std::string, std::string> results_;  // of the last successful ADD, by container
};

/// The settings that differ from the default, as a line shows them: " mtu=1400 ingressPolicy=isolated".
std::string described(const Settings& settings);

}  // namespace property

// One of two equal hosts, on which a runtime calls plugins through libcni: the reference's own on the one, pons under
// their names on the other.
#pragma once

#include <list>
#include <string>
#include <vector>

#include "tests/compat/facts.h"
#include "tests/support/fake_host.h"
#include "tests/support/traffic.h"

namespace support {

/// Debian's directory of the reference plugins; the directory into which scripts/install has put pons under their names
/// (created by the first call). PONS_COMPAT_PLUGINS replaces the latter: with the reference plugins it tests the
/// harness.
inline constexpr const char* kReferencePlugins = "/usr/lib/cni";
std::string ourPlugins();

/// Made by scripts/setup.
std::string cnitoolPath();
/// Plugins that Debian has not, for CNI_PATH: each does what its file says.
std::string standInPlugins();

/// False where cnitool, the reference plugins or a fake host cannot be had; the test case is then to be skipped.
bool canCompare();

/// A configuration list as its project ships it, from conflists/.
struct Conflist {
  std::string file;
  std::string text;
  std::string name;
  std::string version;

  bool declares(const std::string& capability) const;
  /// CHECK came with version 0.4.0.
  bool hasCheck() const { return version != "0.3.1"; }
  bool masquerades() const;
  /// The same in another version of the protocol.
  Conflist at(const std::string& otherVersion) const;
};
Conflist conflist(const std::string& file);

/// Of a container: what libcni reported, and that result.
struct Attached {
  std::string netns;
  std::string result;
  std::vector<std::string> addresses;  ///< without length, in the order of the result
  std::vector<std::string> gateways;
};

/// A fake host with an uplink and its own /var/lib, whose runtime finds its plugins in `plugins`.
class Side {
 public:
  explicit Side(std::string plugins);

  FakeHost host;
  std::string outside = host.addOutside();

  /// CAP_ARGS of libcni's cnitool, in JSON.
  std::string capabilities;
  std::string ifName = "eth0";

  /// Plugins that the next verbs find: a runtime that goes on after an exchange.
  void install(std::string plugins) { plugins_ = std::move(plugins); }
  /// Configures the list in the runtime. Without masquerade the outside needs a route to the containers.
  void configure(const Conflist& list);

  /// Into a new namespace; it must succeed.
  Attached attach(const Conflist& list, const std::string& container);
  Outcome call(const std::string& verb, const Conflist& list, const std::string& container);

  /// One plugin called by itself, as libcni does for a configuration that is no list.
  Outcome callPlugin(const std::string& verb, const std::string& type, const std::string& config,
                     const std::string& container);
  /// GC of the list's network by one plugin of that directory, without a list of what is valid.
  Outcome collect(const std::string& plugins, const std::string& type, const Conflist& list) const;

 private:
  std::vector<std::string> environment() const;
  std::string plugins_;
};

/// What a result says of addresses.
Attached attachedBy(const std::string& netns, const std::string& result);

}  // namespace support

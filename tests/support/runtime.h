// A container runtime in small: it calls the verbs in this process, on a fake host, with the state directory /run/pons.
#pragma once

#include <functional>

#include "plugin/engine/plan.h"
#include "plugin/verbs/attach.h"

#include "tests/support/fake_host.h"

namespace support {

inline constexpr const char* kStateDir = "/run/pons";

/// A configuration of network "demo", version 1.1.0, with these members.
std::string demoConfig(const std::string& members);
/// The smallest one, with the subnet 10.42.0.0/24.
std::string minimalConfig();

/// A network configuration and the runtime's parameters. Every verb opens its sockets and its ledger anew, as a
/// process of its own would.
class Runtime {
 public:
  explicit Runtime(std::string config) : config_(std::move(config)) {}

  /// CNI_ARGS and CNI_PATH of every verb.
  std::string args = {};
  std::string pluginPath = "/opt/cni/bin";

  /// The container's namespace is the one at /run/netns/<container>; `ifName` is eth0.
  pons::cni::Environment environment(const std::string& container) const;
  pons::cni::Request request(pons::cni::Verb verb, const std::string& container) const;

  pons::cni::Result<std::string> add(const std::string& container) const;
  pons::cni::Result<> del(const std::string& container) const;
  /// With the result of its ADD as prevResult.
  pons::cni::Result<> check(const std::string& container, const std::string& result) const;

 private:
  std::string config_;
};

/// A host as a verb opens it, on the namespace of this thread.
pons::Host openHost();

/// Called before the step of that index, and once more before the commit; a failure ends the ADD.
using BeforeStep = std::function<netlib::Result<>(std::size_t step, pons::Host& host)>;

/// The verb ADD with that hook (Host::beforeStep): it fails or dies where a test wants it to.
pons::cni::Result<std::string> addWith(const pons::cni::Request& request, const BeforeStep& beforeStep);

/// The number of steps that an ADD of this request takes.
std::size_t stepCount(const pons::cni::Request& request);

/// The record of an attachment, locked; it must be there.
pons::Record recordOf(pons::Host& host, const pons::cni::Request& request);

/// Files and links of the ledger, without the directories, the lock and the counters that outlive the last attachment.
std::string dumpLedger();

/// The interfaces in a container, one a line.
std::string interfacesOf(const FakeHost& host, const std::string& container);

}  // namespace support

// The system under test: a fake host, on which the commands are executed, and which is compared with the model after
// each of them. A difference is thrown as std::runtime_error.
#pragma once

#include "tests/property/kernel.h"
#include "tests/property/runtime.h"
#include "tests/support/fake_host.h"

namespace property {

/// With a firewall that drops forwarded packets, and a foreign bridge with a port.
class TestHost {
 public:
  /// The number of the container of refuseInterface(); the model does not know it.
  static constexpr unsigned kBusy = 9;

  TestHost();

  /// ADD into the container's namespace, which is created where there is none.
  void attach(unsigned container, const Attachment& attachment);
  /// The same, requesting the addresses of that number; it has to fail. What the plugins in front of the failing one
  /// did is undone by DEL, as runtimes do.
  void refuse(unsigned container, const Attachment& attachment, unsigned address);
  /// ADDs that have to fail, too, without a DEL: of a container that is already attached, and of the container kBusy,
  /// whose namespace has an interface eth0.
  void refuseAgain(unsigned container, const Attachment& attachment);
  void refuseInterface(const Attachment& attachment);
  void detach(unsigned container, const Attachment& attachment);
  /// Deletes the container's namespace.
  void kill(unsigned container);
  void collect(const Network& network, const std::optional<std::set<unsigned>>& valid);
  void requireStatus(const Network& network);
  /// "ponsctl repair"; `isComplete`: there is nothing that it cannot repair.
  void repair(bool isComplete);
  /// The host's firewall, as after "systemctl reload nftables".
  void reloadFirewall();

  /// The kernel is as the model expects it; CHECK of each container succeeds exactly while the kernel has what it
  /// needs; "ponsctl check", "ponsctl repair --dry-run" and STATUS agree.
  void verify(const Model& model);

 private:
  void requireRefusal(unsigned container, const Attachment& attachment, unsigned address);
  bool verifyContainer(const Model& model, unsigned container, const Facts& kernel);
  void requireGateways(unsigned container, const Attachment& attachment) const;
  void requireCleanLedger() const;

  support::FakeHost fake_;
  Runtime runtime_;
  KernelReader kernel_;
  std::set<unsigned> namespaces_ = {};
};

}  // namespace property

// What one verb works with: the ledger, the kernel's sockets, and what was learned on the way.
#pragma once

#include <memory>
#include <optional>

#include "netlib/netlink/socket.h"
#include "netlib/os/netns.h"
#include "netlib/rtnl/link.h"

#include "plugin/ledger/ledger.h"

namespace pons {

/// The container's side: its namespace, and a socket that speaks to it from outside.
struct Container {
  netlib::Netns netns;
  netlib::Socket route;

  /// EXDEV where `path` is not a network namespace or is the host's own; ENOENT where there is none.
  static netlib::Result<Container> open(const std::string& path);
};

/// As records keep it.
NetnsId idOf(const Container& container);

/// Calls foreign IPAM plugins; made by the floor that speaks their protocol.
class IpamCaller {
 public:
  virtual ~IpamCaller() = default;

  /// The plugin is told that the attachment's addresses are free; what is free already is fine.
  virtual netlib::Result<> free(const Attachment& attachment) = 0;
  /// The plugin is asked whether the attachment has them.
  virtual netlib::Result<> check(const Attachment& attachment) = 0;
};

struct Host {
  Ledger ledger;
  netlib::Socket route;
  netlib::Socket netfilter;
  std::optional<Container> container;  ///< absent on DEL: nothing is undone from inside

  /// Set by the verbs of a runtime.
  std::unique_ptr<IpamCaller> ipam = nullptr;
  /// Unset by those who only look: what only a program could tell is not looked at then.
  bool runsPrograms = true;

  /// Set by BridgePresent, applied or verified, for the steps after it: what the kernel said of the bridge.
  netlib::link::Link bridge = {};
  /// Set by VethPair: the index of the container's interface in its namespace, where the kernel told.
  std::optional<unsigned> containerIndex = std::nullopt;

  static netlib::Result<Host> open(Ledger ledger);
};

/// The index of the container's interface in its namespace: as VethPair learned it, else looked up.
netlib::Result<unsigned> containerIndexOf(Host& host, const Attachment& attachment);

}  // namespace pons

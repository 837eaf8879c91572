// What one command of a runtime or an administrator works with: the ledger and the kernel's sockets.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "netlib/netlink/socket.h"
#include "netlib/os/netns.h"
#include "netlib/rtnl/link.h"

#include "plugin/ledger/ledger.h"

namespace pons {

/// The container's network namespace, and a rtnetlink socket in it that this process uses from outside.
struct Container {
  netlib::Netns netns;
  netlib::Socket route;

  /// WrongNetns where `path` is not a network namespace or is the host's own; ENOENT where there is none.
  static netlib::Result<Container> open(const std::string& path);
};

/// As records have it.
NetnsId idOf(const Container& container);
/// Of the network namespace at that path, by stat(2); nothing if the path does not exist. Two paths of one namespace
/// (/run and /var/run, /proc/PID/ns/net) have the same.
netlib::Result<std::optional<NetnsId>> netnsIdAt(const std::string& path);

/// Executes a foreign IPAM plugin. Implemented by the component that has its protocol.
class IpamCaller {
 public:
  virtual ~IpamCaller() = default;

  /// The plugin's DEL for the attachment; addresses that are free already are no error.
  virtual netlib::Result<> free(const Attachment& attachment) = 0;
  /// The plugin's CHECK.
  virtual netlib::Result<> check(const Attachment& attachment) = 0;
};

struct Host {
  Ledger ledger;
  netlib::Socket route;
  netlib::Socket netfilter;
  std::optional<Container> container;  ///< absent on DEL, which needs no access to the namespace

  /// Absent in commands of administrators, which have no runtime's environment to call the plugin with.
  std::unique_ptr<IpamCaller> ipam = nullptr;

  /// The bridge as the kernel described it when the step bridgePresent() was last applied or verified, vethPair() added
  /// a port to it that may have changed its MTU, or a chained plugin looked for the link to its container; its settings
  /// may have changed since. Empty before.
  netlib::link::Link bridge = {};
  /// The same of the gateway's link in the attachment's VLAN, by the step vlanLink().
  netlib::link::Link vlanLink = {};
  /// The ifindex of the container's interface in its namespace, and of the host end, if the kernel's answer to
  /// vethPair()'s request had them.
  std::optional<unsigned> containerIndex = std::nullopt;
  std::optional<unsigned> portIndex = std::nullopt;

  /// Called by ADD before each step, with the step's name, and before it commits the record ("commit"). An error ends
  /// the ADD there. For tests; empty otherwise.
  std::function<netlib::Result<>(std::string_view stepName)> beforeStep = {};

  /// Called with what an administrator should read in the log, and the event's name there. Verbs log it; commands of
  /// ponsctl do nothing.
  std::function<void(std::string_view event, const std::string& what)> note = [](std::string_view, const std::string&) {
  };

  static netlib::Result<Host> open(Ledger ledger);
};

/// The link that routedLink() names: `host.vlanLink` or `host.bridge`.
const netlib::link::Link& routedLinkOf(const Host& host, const Attachment& attachment);

/// The ifindex of the container's interface: `host.containerIndex`, else looked up. ENODEV where there is none.
netlib::Result<unsigned> containerIndexOf(Host& host, const Attachment& attachment);

}  // namespace pons

// Kernel objects of a container that was attached by the reference plugins (containernetworking/plugins) and is deleted
// by pons: pons replaced them on this host while the container was running.
#pragma once

#include "plugin/context/context.h"

namespace pons {

/// An attachment without a record in the ledger, as far as DEL has information.
struct UnrecordedAttachment {
  AttachmentKey key;
  std::string netnsPath;  ///< may be empty or no longer exist
  /// If the configuration has one.
  std::optional<netlib::IfName> bridge = std::nullopt;
  /// From prevResult or from host-local's files. The caller guarantees that no other container has them now.
  std::vector<netlib::IpAddress> addresses = {};
};

/// Removes the container's interface, if it is a veth whose peer is a port of that bridge and of no other attachment;
/// the iptables rules of its addresses (see reference_rules.h); the ifb of the bandwidth plugin; the backup of the
/// tuning plugin. As with the reference plugins, shared state remains: the bridge, ip_forward, the chains CNI-FORWARD,
/// CNI-HOSTPORT-* and CNI-ISOLATION-*. Success if nothing exists. Continues after an error; the error has all messages.
netlib::Result<> removeReferenceOrphans(Host& host, const UnrecordedAttachment& unrecorded);

}  // namespace pons

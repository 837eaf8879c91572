// What the reference plugins (containernetworking/plugins) made for a container that they attached and that pons is to
// take away: a host on which pons took their place while containers were running.
#pragma once

#include "plugin/context/context.h"

namespace pons {

/// What a DEL knows of an attachment that has no record in the ledger.
struct Departed {
  AttachmentKey key;
  std::string netnsPath;  ///< may be empty or name nothing any more
  /// The network's bridge, where the configuration names one.
  std::optional<netlib::IfName> bridge = std::nullopt;
  /// That are this attachment's, by the result of its ADD or by host-local's files. The caller makes sure that nobody
  /// else has got them meanwhile.
  std::vector<netlib::IpAddress> addresses = {};
};

/// Removes the container's interface, where it is a veth whose other end is a port of that bridge and no other
/// attachment's; the iptables rules (see reference_rules.h) of its addresses; the ifb link of its bandwidth; the backup
/// of its tuning. All that serves other containers, too, stays as the reference would leave it: the bridge, ip_forward,
/// the chains CNI-FORWARD, CNI-HOSTPORT-* and CNI-ISOLATION-*. What is not there is fine, and looking for it is a few
/// netlink requests. Goes on after a failure; the error tells them all.
netlib::Result<> removeReferenceLeftovers(Host& host, const Departed& departed);

}  // namespace pons

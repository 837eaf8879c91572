// The iptables rules of a container from the reference plugins (containernetworking/plugins up to 1.5, and later with
// backend iptables): masquerade, published ports and firewall, in both families and backends.
#pragma once

#include <vector>

#include "netlib/values/ip_address.h"

#include "plugin/context/context.h"

namespace pons {

/// Names with the first digits of a SHA-512 of network and container ID.
struct ReferenceNames {
  explicit ReferenceNames(const AttachmentKey& key);

  std::string masquerade;    ///< chain of table nat, called from POSTROUTING by source address
  std::string forwards;      ///< chain of table nat, called from CNI-HOSTPORT-DNAT by port
  netlib::IfName bandwidth;  ///< ifb link of the bandwidth plugin, one for all interfaces of the container

 private:
  explicit ReferenceNames(const std::string& hash);
};

/// Removes the container's rules for `addresses`; if none is of the family, those for all addresses found in these
/// rules. Shared chains (CNI-FORWARD, CNI-HOSTPORT-DNAT) remain. Looks for the chains with nf_tables and /proc first,
/// and executes iptables only if they exist: then Missing if it is not installed. Continues after an error; the error
/// has all messages.
netlib::Result<> removeReferenceRules(Host& host, const AttachmentKey& key,
                                      const std::vector<netlib::IpAddress>& addresses);

}  // namespace pons

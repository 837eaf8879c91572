// The iptables rules that the reference plugins (containernetworking/plugins, up to 1.5 and in their iptables mode)
// made for a container: masquerade, published ports and firewall, in either family and backend.
#pragma once

#include <vector>

#include "netlib/values/ip_address.h"

#include "plugin/context/context.h"

namespace pons {

/// How the reference names what it makes for a container in a network: the first digits of a hash of both.
struct ReferenceNames {
  explicit ReferenceNames(const AttachmentKey& key);

  std::string masquerade;    ///< chain of table nat, entered from POSTROUTING by source address
  std::string forwards;      ///< chain of table nat, entered from CNI-HOSTPORT-DNAT by port
  netlib::IfName bandwidth;  ///< ifb link of its bandwidth plugin, one for all interfaces of the container

 private:
  explicit ReferenceNames(const std::string& hash);
};

/// Takes the rules of this container away that are about one of `addresses`; where these are none of the family, those
/// about all addresses that the container has by these rules. Chains that serve all containers stay. Asks nf_tables and
/// /proc first, and runs iptables only where the reference's chains are.
netlib::Result<> removeReferenceRules(Host& host, const AttachmentKey& key,
                                      const std::vector<netlib::IpAddress>& addresses);

}  // namespace pons

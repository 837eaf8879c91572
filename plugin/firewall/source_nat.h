// Changes to the chains of source_subnets.h in the kernel. The caller holds the host lock.
#pragma once

#include "plugin/context/context.h"
#include "plugin/firewall/source_subnets.h"
#include "plugin/model/difference.h"

namespace pons::source {

/// Adds to a table what it lacks of what the attachment needs and shares: parts, and the chains of its subnets and
/// networks, as their first container needs them. ENOENT where a table is missing.
netlib::Result<> addMissing(Host& host, const Attachment& attachment);

/// Adds the subnet to the map sources. Where referenced subnets contain one another, each address goes to the chain of
/// the narrowest one.
netlib::Result<> join(Host& host, const netlib::IpPrefix& subnet);

/// Removes the chain of the subnet and its elements of the map sources, and gives its addresses to the subnets around
/// it; what is gone already is no error. The chain stays where something that pons has not made jumps to it.
netlib::Result<> removeSubnet(Host& host, const netlib::IpPrefix& subnet);

/// Removes the chain of a network with its set, and the jumps to it from those chains; what is gone already is no
/// error.
netlib::Result<> removeNetwork(Host& host, netlib::Family family, const std::string& chain,
                               const std::vector<std::string>& subnetChains);

/// Compares the chain of the subnet, and its part of the map sources, with what the references in the ledger need. A
/// jump to the chain of a network is no difference, and none is missing: its network knows. Takes no lock.
netlib::Result<Differences> differencesOf(Host& host, const netlib::IpPrefix& subnet);

}  // namespace pons::source

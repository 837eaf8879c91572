// Changes to the chains of source_subnets.h in the kernel.
#pragma once

#include "plugin/context/context.h"
#include "plugin/firewall/source_subnets.h"

namespace pons::source {

/// Makes the chains of the attachment's subnets and networks that have had no containers so far. Under the host lock;
/// ENOENT where a table is missing.
netlib::Result<> addMissingChains(Host& host, const Attachment& attachment);

/// The map sources leads the subnet's addresses to its chain, or no more, and to those of the subnets which attachments
/// hold inside of it or around it what is theirs. Under the host lock.
netlib::Result<> join(Host& host, const netlib::IpPrefix& subnet);
netlib::Result<> leave(Host& host, const netlib::IpPrefix& subnet);

/// Removes the chain of a network with its set, and the jumps to it from those chains; what is gone already is fine.
netlib::Result<> removeNetwork(Host& host, netlib::Family family, const std::string& chain,
                               const std::vector<std::string>& subnetChains);

}  // namespace pons::source

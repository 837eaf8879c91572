// Kernel objects that bear pons' mark and have no record: what is left where a ledger was lost.
#pragma once

#include "plugin/host.h"

namespace pons {

/// Takes away what a network left behind without a record: links by their alias, published ports and chains in
/// nf_tables, claims in the ledger; and, where nobody on record needs it any more, the network's bridge, the tables and
/// forwarding. `subnets` are the network's. Goes on after failures.
netlib::Result<> sweep(Host& host, const NetworkName& network, const netlib::IfName& bridge,
                       const std::vector<netlib::IpPrefix>& subnets);

}  // namespace pons

// Rules and elements of one attachment in nf_tables and other firewalls.
#pragma once

#include <map>

#include "plugin/ctl/facts.h"

namespace pons::ctl {

/// Its own elements, the chains of its network, and accept rules in chains of other firewalls.
std::vector<RuleFact> rulesOf(Host& host, const Attachment& attachment);

/// Dropped by its egress policy, by family; empty without a policy. Omits a counter that is missing.
std::map<netlib::Family, netlib::nft::Counted> deniedBy(Host& host, const Attachment& attachment);

}  // namespace pons::ctl

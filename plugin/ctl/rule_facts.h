// What nf_tables, and other firewalls, have for one attachment.
#pragma once

#include <map>

#include "plugin/ctl/facts.h"

namespace pons::tools {

/// Its own elements, its network's chains, and the rules in chains of others.
std::vector<RuleFact> rulesOf(Host& host, const Attachment& attachment);

/// What its egress policy has dropped, by family; nothing where it has none. A chain that is gone is among the rules.
std::map<netlib::Family, netlib::nft::Counted> deniedBy(Host& host, const Attachment& attachment);

}  // namespace pons::tools

// What nf_tables, and other firewalls, have for one attachment.
#pragma once

#include "plugin/tools/facts.h"

namespace pons::tools {

/// Its own elements, its network's chains, and the rules in chains of others.
std::vector<RuleFact> rulesOf(Host& host, const Attachment& attachment);

/// What its egress policy has dropped, in both families together; nothing where it has none.
std::optional<netlib::nft::Counted> deniedBy(Host& host, const Attachment& attachment);

}  // namespace pons::tools

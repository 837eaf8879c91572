// Rules and elements of one attachment in nf_tables and other firewalls.
#pragma once

#include <map>

#include "plugin/ctl/facts.h"

namespace pons::ctl {

/// Its own elements, the chains of its network, and accept rules in chains of other firewalls.
std::vector<RuleFact> rulesOf(Host& host, const Attachment& attachment);

/// Denied by its egress policy, by family; empty without a policy. Omits a counter that is missing.
std::map<netlib::Family, netlib::nft::Counted> deniedBy(Host& host, const Attachment& attachment);

/// Frames that the spoof guard dropped, of all containers, by guard::DroppingChain::reason; empty without guards.
std::map<std::string, std::uint64_t> spoofedFrames(Host& host);

/// Packets that the key of bridges::kDenying denied, of all bridges. Omits a key that no container has needed.
struct DeniedByKey {
  std::string key;
  netlib::Family family;
  std::uint64_t packets;
};
std::vector<DeniedByKey> deniedByKey(Host& host);

}  // namespace pons::ctl

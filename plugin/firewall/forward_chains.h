// The accept rules of a bridge in the host's other forward chains: Docker, ufw and firewalld drop what they have no
// rule for, and an accept in a chain of pons would not help, as every base chain of the hook is evaluated.
//
//   [jump to the administrator's chain, where the table has that chain]
//   iifname <bridge>                              accept
//   oifname <bridge> ct state established,related accept
//   oifname <bridge> ct status dnat               accept
//
// They are inserted at the front of each base chain that drops unmatched packets: of nf_tables (including iptables-nft)
// and of iptables-legacy. Their comment is "pons forward <bridge>".
#pragma once

#include "plugin/context/context.h"

namespace pons::forward {

struct BridgeRules {
  netlib::IfName bridge;
  std::optional<std::string> adminChain;  ///< jumped to first, in every base chain of the hook whose table has it
};

/// A base chain in which rules of the bridge belong or exist.
struct ChainState {
  std::string name;     ///< for people: "ip filter FORWARD", "iptables-legacy IPv4 chain FORWARD"
  std::size_t present;  ///< rules with the bridge's comment
  std::size_t wanted;   ///< rules that belong there
};

/// Read-only. Lists all chains of nf_tables, and the rules of those of the forward hook; executes iptables-legacy where
/// its filter table is in use and `host.runsPrograms`. ENOENT, with advice, where that program is missing.
netlib::Result<std::vector<ChainState>> inspect(Host& host, const BridgeRules& rules);

/// Inserts the missing rules in every chain. The caller holds the host lock. EPERM, with advice, where the owner of a
/// table permits no changes (NFT_TABLE_F_OWNER). On error some chains may have got their rules.
netlib::Result<> insertMissing(Host& host, const BridgeRules& rules);

/// Deletes all rules with the bridge's comment. The caller holds the host lock.
netlib::Result<> remove(Host& host, const BridgeRules& rules);

}  // namespace pons::forward

// The accept rules of a bridge in the host's other forward chains: Docker, ufw and firewalld drop what they have no
// rule for, and an accept in a chain of pons would not help, as every base chain of the hook is evaluated.
//
//   [jump to each chain of the administrator that an attachment names, where the table has that chain]
//   iifname <bridge>                              accept
//   oifname <bridge> ct state established,related accept
//   oifname <bridge> ct status dnat               accept
//
// They are inserted at the front of each base chain that drops unmatched packets: of nf_tables (including iptables-nft)
// and of iptables-legacy. Their comment is "pons forward <bridge>".
#pragma once

#include <set>

#include "plugin/context/context.h"

namespace pons::forward {

/// The comment of these rules, and their number in a chain that drops, without the jumps.
std::string commentOf(const netlib::IfName& bridge);
inline constexpr std::size_t kAccepts = 3;

struct BridgeRules {
  netlib::IfName bridge;
  std::set<std::string> adminChains;  ///< jumped to first, in every base chain of the hook whose table has them
};

/// Those of one of the attachment's shared_state::forwardedLinks(): with the administrator's chains that its
/// attachments refer to. Takes no lock.
netlib::Result<BridgeRules> rulesOf(Ledger& ledger, const Attachment& attachment, const netlib::IfName& link);

/// A base chain in which rules of the bridge belong or exist.
struct ChainState {
  std::string name;     ///< for people: "ip filter FORWARD", "iptables-legacy IPv4 chain FORWARD"
  std::size_t present;  ///< those of them that are there
  std::size_t wanted;   ///< rules that belong there
  std::size_t stale;    ///< jumps with the bridge's comment to a chain that no attachment refers to

  bool isRight() const { return present >= wanted && stale == 0; }
};

/// Read-only, and executes nothing. Lists all chains of nf_tables, and the rules of those of the forward hook; reads
/// the filter table of iptables-legacy where there is one.
netlib::Result<std::vector<ChainState>> inspect(Host& host, const BridgeRules& rules);

/// Inserts what is missing in every chain, and removes what is stale; executes iptables-legacy to change its table. The
/// caller holds the host lock. EPERM, with advice, where the owner of a table permits no changes (NFT_TABLE_F_OWNER);
/// Missing, with advice, where iptables-legacy is not installed. On error some chains may have got their
/// rules.
netlib::Result<> converge(Host& host, const BridgeRules& rules);

/// Deletes all rules with the bridge's comment. The caller holds the host lock.
netlib::Result<> remove(Host& host, const BridgeRules& rules);

}  // namespace pons::forward

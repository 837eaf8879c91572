// The chains by which others decide what the host forwards, and our rules in them. Docker, ufw and firewalld drop what
// they do not know; an accept in a chain of our own would not help, for every base chain of the hook has its say.
//
//   [jump to the admin's chain, where that chain is in the table]
//   iifname <bridge>                              accept
//   oifname <bridge> ct state established,related accept
//   oifname <bridge> ct status dnat               accept
//
// In front of all others, in every chain that drops: of nf_tables (so also of iptables-nft) and of iptables-legacy.
// Each bears the comment "pons forward <bridge>", by which it is found again.
#pragma once

#include "plugin/context/context.h"

namespace pons::forward {

/// For one bridge. With an admin's chain every chain of the hook in whose table that one is gets the jump.
struct Answer {
  netlib::IfName bridge;
  std::optional<std::string> adminChain;
};

/// A chain in which rules of the answer belong or are.
struct Place {
  std::string name;
  std::size_t present;
  std::size_t wanted;
};

/// Changes nothing. Lists every chain of nf_tables, and the rules of those of the forward hook; runs iptables-legacy
/// where its filter table is in use and the host may run programs.
netlib::Result<std::vector<Place>> look(Host& host, const Answer& answer);

/// Makes the rules that are missing, in every chain; under the host lock. EPERM, with advice, where a chain cannot be
/// changed. On error some chains may have got theirs.
netlib::Result<> mend(Host& host, const Answer& answer);

/// Takes every rule of that bridge away, wherever it is.
netlib::Result<> remove(Host& host, const Answer& answer);

}  // namespace pons::forward

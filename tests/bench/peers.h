// What users install in place of pons: Debian's reference plugins, and the reference plugins and netavark of the newest
// Debian release, which scripts/setup --bench unpacks into build/peers. Each gives a container what ponsChain() does:
// bridge, address, default route, masquerade and two published ports.
#pragma once

#include <vector>

#include "tests/bench/chain.h"
#include "tests/bench/samples.h"

namespace bench {

struct Peer {
  Subject subject;
  ChainOf chainOf;
};

/// Those whose programs are there; says which are not.
std::vector<Peer> peers();

/// bridge with host-local, then portmap, with iptables.
Chain debianReference(const std::string& host, const std::string& stateDir);
Chain newestReferenceWithNftables(const std::string& host, const std::string& stateDir);
Chain newestReferenceWithIptables(const std::string& host, const std::string& stateDir);
/// Addresses are ours, as podman has its own IPAM.
Chain netavark(const std::string& host, const std::string& stateDir);

}  // namespace bench

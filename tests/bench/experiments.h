// The experiments, one file each. Each adds its measurements to `into`.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/bench/hosts.h"
#include "tests/bench/samples.h"

namespace bench {

/// How many times more rounds than of an ADD there are of what takes a few milliseconds.
inline constexpr unsigned kShortRuns = 4;

struct Effort {
  unsigned runs = 50;
  unsigned referenceRuns = 10;  ///< 0: without the reference plugins
  std::vector<unsigned> existing{0, 100, 1000, 5000};

  unsigned warmUp() const { return std::min(runs, 5U); }
  unsigned mostReferenceRuns(unsigned most) const { return std::min(referenceRuns, most); }
  /// For what takes longer than an ADD and a DEL.
  unsigned fewerRuns() const { return std::max(runs / 2, std::min(runs, 6U)); }
};

/// ADD and DEL beside 50 containers: pons, its peers and the bare kernel requests.
void single(Hosts& hosts, const Effort& effort, Samples& into);
/// ADD and DEL of two address families, and DEL beside 100,000 conntrack entries; the baselines have one family, and no
/// such entries.
void dualStack(Hosts& hosts, const Effort& effort, Samples& into);
/// Packets and bytes to the outside, by a published port and between two containers: pons, its nearest peer, and plain
/// links without rules.
void traffic(Hosts& hosts, const Effort& effort, Samples& into);
/// Traffic of a container with the spoof guard, and with an egress policy; the baseline has neither.
void guards(Hosts& hosts, const Effort& effort, Samples& into);
/// Concurrent ADDs and DELs.
void burst(Hosts& hosts, const Effort& effort, Samples& into);
/// System calls, programs, page faults and memory of one ADD and one DEL.
void budget(Hosts& hosts, const Effort& effort, Samples& into);
/// ADD and DEL with thousands of existing containers, and connections through one of thousands of published ports.
void scale(Hosts& hosts, const Effort& effort, Samples& into);
/// ADD and DEL with an egress policy, with thousands of existing ones; the baseline has one.
void policies(Hosts& hosts, const Effort& effort, Samples& into);
/// A container's start by crun, ADD included; the baseline has no network.
void containerStart(const Effort& effort, Samples& into);

}  // namespace bench

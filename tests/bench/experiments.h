// What is measured, a file each. All of them add to the samples that they are given.
#pragma once

#include <algorithm>
#include <vector>

#include "tests/bench/hosts.h"
#include "tests/bench/samples.h"

namespace bench {

struct Effort {
  unsigned runs = 50;
  unsigned referenceRuns = 10;  ///< 0: without the reference
  std::vector<unsigned> crowds{0, 100, 1000, 5000};

  unsigned warmUp() const { return std::min(runs, 5U); }
  unsigned mostReferenceRuns(unsigned most) const { return std::min(referenceRuns, most); }
  /// For what takes longer than an ADD and a DEL.
  unsigned fewerRuns() const { return std::max(runs / 2, std::min(runs, 6U)); }
};

/// ADD and DEL beside another container, against the reference and the bare kernel requests.
void duel(Hosts& hosts, const Effort& effort, Samples& into);
/// ADD and DEL of two address families; the baseline has one.
void dualStack(Hosts& hosts, const Effort& effort, Samples& into);
/// What a container sends through its guard, and through an egress policy; the baseline has neither.
void guards(Hosts& hosts, const Effort& effort, Samples& into);
/// Many at once.
void burst(Hosts& hosts, const Effort& effort, Samples& into);
/// What one ADD and one DEL ask of the machine, counted.
void budget(Hosts& hosts, const Effort& effort, Samples& into);
/// The same ADD and DEL beside thousands of containers, and connections through one of thousands of published ports.
void crowded(Hosts& hosts, const Effort& effort, Samples& into);
/// A container's start by crun, ADD included; the baseline has no network.
void containerStart(const Effort& effort, Samples& into);

}  // namespace bench

// Rounds in which each candidate attaches a new container and detaches it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/hosts.h"
#include "tests/bench/samples.h"

namespace bench {

struct Candidate {
  Subject subject;
  std::function<Cost(Container&)> add;
  std::function<Cost(const Container&)> del;
  std::function<void(std::vector<Container>&)> addAtOnce;
  std::function<void(const std::vector<Container>&)> delAtOnce;
  unsigned every = 1;  ///< it takes part in every n-th round
};

/// `plugin` has these four functions: a Chain or a Floor.
template <class Plugins>
Candidate candidate(Subject subject, Plugins plugin, unsigned every = 1) {
  return {subject,
          [plugin](Container& container) { return plugin.add(container); },
          [plugin](const Container& container) { return plugin.del(container); },
          [plugin](std::vector<Container>& containers) { plugin.addAtOnce(containers); },
          [plugin](const std::vector<Container>& containers) { plugin.delAtOnce(containers); },
          every};
}

/// The order rotates, as deferred kernel work of one candidate may slow the next one down.
template <class Taking>
std::vector<Taking> rotated(std::vector<Taking> all, unsigned round) {
  std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(round % all.size()));
  return all;
}

/// For a candidate that takes part in `few` rounds (not 0), which are spread evenly.
inline unsigned everyFor(unsigned few, unsigned rounds) { return (rounds + few - 1) / few; }

struct Rounds {
  std::string experiment;
  unsigned size;
  unsigned warmUp;  ///< rounds not recorded; only of candidates that take part in every round
  unsigned runs;
};
void takeTurns(Hosts& hosts, const std::vector<Candidate>& candidates, const Rounds& rounds, Samples& into);

}  // namespace bench

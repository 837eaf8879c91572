// Rounds in which each of several attaches a new container and detaches it.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "tests/bench/hosts.h"
#include "tests/bench/samples.h"

namespace bench {

struct Contestant {
  Subject subject;
  std::function<Cost(Container&)> add;
  std::function<Cost(const Container&)> del;
  std::function<void(std::vector<Container>&)> addAtOnce;
  std::function<void(const std::vector<Container>&)> delAtOnce;
  unsigned every = 1;  ///< it takes part in the rounds whose number can be divided by this
};

/// `player` has these four: a Chain or a Floor.
template <class Player>
Contestant contestant(Subject subject, Player player, unsigned every = 1) {
  return {subject,
          [player](Container& container) { return player.add(container); },
          [player](const Container& container) { return player.del(container); },
          [player](std::vector<Container>& containers) { player.addAtOnce(containers); },
          [player](const std::vector<Container>& containers) { player.delAtOnce(containers); },
          every};
}

/// Each comes first in its turn: what one leaves for the kernel to do later may slow the next.
template <class Taking>
std::vector<Taking> rotated(std::vector<Taking> all, unsigned round) {
  std::ranges::rotate(all, all.begin() + static_cast<std::ptrdiff_t>(round % all.size()));
  return all;
}

/// For a contestant that takes part in `few` rounds (not 0), which are spread evenly.
inline unsigned everyFor(unsigned few, unsigned rounds) { return (rounds + few - 1) / few; }

struct Rounds {
  std::string experiment;
  unsigned size;
  unsigned warmUp;  ///< rounds before the first that counts, of those who take part in every round
  unsigned runs;
};
void takeTurns(Hosts& hosts, const std::vector<Contestant>& contestants, const Rounds& rounds, Samples& into);

}  // namespace bench

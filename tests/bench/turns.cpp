#include "tests/bench/turns.h"

#include <iterator>

namespace bench {

namespace {

void takeRound(Hosts& hosts, const std::vector<Contestant>& contestants, const Rounds& rounds, unsigned number,
               Samples& into) {
  std::vector<Container> containers;
  for (std::size_t i = 0; i < contestants.size(); ++i) containers.push_back(hosts.container());
  const auto record = [&](const std::string& verb, const Contestant& who, const Cost& cost) {
    into.add(rounds.experiment, rounds.size, verb, who.subject, number, cost);
  };
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    record("ADD", contestants[i], contestants[i].add(containers[i]));
  }
  for (std::size_t i = 0; i < contestants.size(); ++i) {
    record("DEL", contestants[i], contestants[i].del(containers[i]));
  }
}

}  // namespace

void takeTurns(Hosts& hosts, const std::vector<Contestant>& contestants, const Rounds& rounds, Samples& into) {
  const auto takingPart = [&](auto condition) {
    std::vector<Contestant> result;
    std::ranges::copy_if(contestants, std::back_inserter(result), condition);
    return result;
  };
  Samples unused;
  const auto always = takingPart([](const Contestant& who) { return who.every == 1; });
  for (unsigned i = 0; i < rounds.warmUp; ++i) takeRound(hosts, rotated(always, i), rounds, i, unused);
  for (unsigned i = 0; i < rounds.runs; ++i) {
    const auto now = takingPart([i](const Contestant& who) { return i % who.every == 0; });
    takeRound(hosts, rotated(now, i), rounds, i, into);
  }
}

}  // namespace bench

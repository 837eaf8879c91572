#include <chrono>
#include <cstdio>
#include <exception>
#include <list>
#include <stdexcept>

#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/pipe.h"
#include "tests/bench/turns.h"
#include "tests/support/process.h"

namespace bench {

namespace {

/// Processes that stand ready, with a container each, so that all can begin at the same moment: first with its ADD,
/// then with its DEL.
class Crew {
 public:
  Crew(Hosts& hosts, const Contestant& contestant, unsigned count) : count_(count) {
    for (unsigned i = 0; i < count; ++i) {
      members_.emplace_back(
          [this, &contestant, container = hosts.container()] { return serve(contestant, container); });
    }
    waitForAll();
  }

  /// How many a second are done, from the start until the last has ended.
  double together() {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    const std::string signs(count_, '!');
    if (write(gate_.writer.get(), signs.data(), signs.size()) < 0) throw std::runtime_error("cannot start the crew");
    waitForAll();
    return count_ / std::chrono::duration<double>(Clock::now() - start).count();
  }

 private:
  static constexpr char kDone = '.';
  static constexpr char kFailed = 'x';

  void waitForAll() {
    for (unsigned i = 0; i < count_; ++i) {
      if (read(answers_.reader.get(), &answer_, 1) != 1 || answer_ != kDone)
        throw std::runtime_error("one of many failed");
    }
  }

  int serve(const Contestant& contestant, Container container) {
    const bool served = report([&] { contestant.warmUp(container); }) && isOpen() &&
                        report([&] { contestant.add(container); }) && isOpen() &&
                        report([&] { contestant.del(container); });
    return served ? 0 : 1;
  }

  /// Waits for it.
  bool isOpen() { return read(gate_.reader.get(), &answer_, 1) == 1; }

  template <class Work>
  bool report(Work work) {
    answer_ = kDone;
    try {
      work();
    } catch (const std::exception& problem) {
      std::fprintf(stderr, "%s\n", problem.what());
      answer_ = kFailed;
    }
    return write(answers_.writer.get(), &answer_, 1) == 1 && answer_ == kDone;
  }

  unsigned count_;
  char answer_ = 0;
  Pipe gate_;
  Pipe answers_;
  std::list<support::ForkedProcess> members_;
};

void takeRound(Hosts& hosts, const std::vector<Contestant>& contestants, unsigned count, unsigned round,
               Samples& into) {
  for (const Contestant& who : rotated(contestants, round)) {
    if (round % who.every != 0) continue;
    Crew crew{hosts, who, count};
    into.add({"at once", count, "ADDs a second"}, who.subject, round, crew.together());
    into.add({"at once", count, "DELs a second"}, who.subject, round, crew.together());
  }
}

}  // namespace

void burst(Hosts& hosts, const Effort& effort, Samples& into) {
  const Host host = hosts.add("busy");
  const Chain pons = ponsChain(host.netns, host.stateDir);
  hosts.occupy(host, pons);
  const Host bare = hosts.add("busy-floor");
  hosts.occupy(bare, ponsChain(bare.netns, bare.stateDir));
  std::vector contestants{contestant(Subject::Pons, pons), contestant(Subject::Floor, Floor{bare.netns})};

  const unsigned rounds = effort.fewerRuns() / 2;
  if (effort.referenceRuns > 0) {
    const Host other = hosts.add("busy-reference");
    const Chain reference = referenceChain(other.netns, other.stateDir);
    hosts.occupy(other, reference);
    contestants.push_back(contestant(Subject::Reference, reference, everyFor(effort.mostReferenceRuns(2), rounds)));
  }
  for (const unsigned count : {1U, 8U, 32U}) {
    for (unsigned round = 0; round < rounds; ++round) takeRound(hosts, contestants, count, round, into);
  }
}

}  // namespace bench

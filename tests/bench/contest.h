// The measuring itself: three hosts, one for pons, one for the reference plugins and one for the bare kernel requests,
// and rounds in which each attaches a new container and detaches it.
#pragma once

#include <vector>

#include "tests/bench/chain.h"
#include "tests/bench/floor.h"
#include "tests/bench/samples.h"
#include "tests/support/fake_host.h"

namespace bench {

struct Plan {
  unsigned warmUp;         ///< rounds before the first that counts
  unsigned runs;           ///< of pons and of the floor: one a round
  unsigned referenceRuns;  ///< 0: without the reference; else spread evenly over the rounds
};

class Contest {
 public:
  explicit Contest(bool withReference);

  Measurements hold(const Plan& plan);

 private:
  Container newContainer(Subject subject);
  void furnish(Subject subject);
  Cost measure(Subject subject, Verb verb, Container& container) const;
  void round(unsigned number, const std::vector<Subject>& subjects, Measurements& into);
  void count(Subject subject, Measurements& into);

  support::FakeHost machine_;
  Chain pons_;
  Chain reference_;
  Floor floor_;
  std::vector<Subject> plugins_{Subject::Pons};
  unsigned containers_ = 0;
};

}  // namespace bench

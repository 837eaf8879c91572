#include "tests/bench/targets.h"

namespace bench {

namespace {

constexpr const char* kTimes = "times";

/// The rows about one experiment.
class Rows {
 public:
  Rows(const Samples& samples, std::vector<Row>& into, std::string experiment, unsigned size = 0)
      : samples_(samples), into_(into), experiment_(std::move(experiment)), size_(size) {}

  void value(const std::string& what, const std::string& unit, const std::string& quantity, Bound bound,
             double target) {
    into_.push_back({what, unit, spreadOf(of(quantity, Subject::Pons)), bound, target});
  }
  void ratio(const std::string& what, const std::string& quantity, Subject above, Subject below, Bound bound,
             double target) {
    into_.push_back({what, kTimes, spreadOf(quotients(of(quantity, above), of(quantity, below))), bound, target});
  }

 private:
  Series of(const std::string& quantity, Subject subject) const {
    return samples_.series({experiment_, size_, quantity}, subject);
  }

  const Samples& samples_;
  std::vector<Row>& into_;
  std::string experiment_;
  unsigned size_;
};

using enum Bound;
using enum Subject;

void addSingle(const Samples& samples, std::vector<Row>& into) {
  Rows rows{samples, into, "single"};
  rows.ratio("ADD, warm bridge: pons / bare kernel requests", "ADD ms", Pons, Floor, AtMost, 2.5);
  rows.ratio("ADD: reference / pons", "ADD ms", Reference, Pons, AtLeast, 30);
  rows.ratio("ADD, processor time: reference / pons", "ADD processor ms", Reference, Pons, AtLeast, 35);
  rows.ratio("DEL: reference / pons", "DEL ms", Reference, Pons, AtLeast, 9);
}

void addScale(const Samples& samples, std::vector<Row>& into) {
  Rows thousand{samples, into, "scale", 1000};
  thousand.ratio("ADD: with 1,000 existing containers / none", "ADD ms", Pons, Baseline, AtMost, 1.15);
  thousand.ratio("ADD with 1,000 existing: reference / pons", "ADD ms", Reference, Pons, AtLeast, 300);
  Rows thousands{samples, into, "scale", 5000};
  thousands.ratio("ADD: with 5,000 existing mappings and leases / none", "ADD ms", Pons, Baseline, AtMost, 1.15);
  thousands.ratio("ADD with 5,000 existing: reference / pons", "ADD ms", Reference, Pons, AtLeast, 2000);
}

void addPolicies(const Samples& samples, std::vector<Row>& into) {
  Rows rows{samples, into, "policies", 5000};
  rows.ratio("ADD with an egress policy: with 5,000 existing policies / one", "ADD ms", Pons, Baseline, AtMost, 1.15);
  rows.ratio("DEL with an egress policy: with 5,000 existing policies / one", "DEL ms", Pons, Baseline, AtMost, 1.15);
}

void addBurst(const Samples& samples, std::vector<Row>& into) {
  Rows rows{samples, into, "at once", 32};
  rows.value("32 ADDs at once", "a second", "ADDs a second", AtLeast, 400);
  rows.ratio("32 ADDs at once: pons / reference", "ADDs a second", Pons, Reference, AtLeast, 40);
  rows.value("32 DELs at once", "a second", "DELs a second", AtLeast, 300);
}

void addTraffic(const Samples& samples, std::vector<Row>& into) {
  Rows dual{samples, into, "dual stack"};
  dual.ratio("ADD: dual stack / single", "ADD ms", Pons, Baseline, AtMost, 1.3);
  Rows connections{samples, into, "connections", 5000};
  connections.ratio("TCP connections a second: 5,000 mappings / 1", "connections a second", Pons, Baseline, AtLeast,
                    0.95);
}

/// A loss of 5 % is acceptable for these features.
void addGuards(const Samples& samples, std::vector<Row>& into) {
  for (const auto& [experiment, what] : {std::pair{"guard", "spoof guard"}, {"policy", "egress policy, too"}}) {
    Rows rows{samples, into, experiment};
    for (const char* quantity : {"connections a second", "Gbit a second"}) {
      rows.ratio(std::string{quantity} + " with " + what + " / without", quantity, Pons, Baseline, AtLeast, 0.95);
    }
  }
}

void addBudget(const Samples& samples, std::vector<Row>& into) {
  Rows counted{samples, into, "budget"};
  Rows measured{samples, into, "single"};
  counted.value("ADD: system calls", "", "ADD system calls", AtMost, 90);
  counted.value("DEL: system calls", "", "DEL system calls", AtMost, 60);
  for (const std::string verb : {"ADD", "DEL"}) {
    counted.value(verb + ": programs, itself included", "", verb + " programs", AtMost, 1);
    measured.value(verb + ": minor page faults", "", verb + " minor faults", AtMost, 70);
    counted.value(verb + ": peak resident memory", "MiB", verb + " peak MiB", AtMost, 4);
  }
}

}  // namespace

bool Row::met() const { return figure && (bound == AtMost ? figure->median <= target : figure->median >= target); }

std::vector<Row> rowsOf(const Samples& samples) {
  std::vector<Row> rows;
  addSingle(samples, rows);
  addScale(samples, rows);
  addPolicies(samples, rows);
  addBurst(samples, rows);
  addTraffic(samples, rows);
  addGuards(samples, rows);
  addBudget(samples, rows);
  Rows{samples, rows, "container start"}.ratio("start by crun: with ADD / without network", "start ms", Pons, Baseline,
                                               AtMost, 1.1);
  return rows;
}

}  // namespace bench

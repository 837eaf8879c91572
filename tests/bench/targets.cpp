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
  struct Aim {
    Subject peer;
    const char* name;
    double add;
    double del;
  };
  for (const auto& [peer, name, add, del] : {Aim{Netavark, "netavark", 25, 6},
                                             {ReferenceNftables, "reference 1.9.1, nftables", 55, 25},
                                             {ReferenceIptables, "reference 1.9.1, iptables", 55, 20},
                                             {Reference, "reference 1.1.1", 30, 9}}) {
    rows.ratio(std::string{"ADD: "} + name + " / pons", "ADD ms", peer, Pons, AtLeast, add);
    rows.ratio(std::string{"DEL: "} + name + " / pons", "DEL ms", peer, Pons, AtLeast, del);
  }
  const auto bound = [&](Subject subject) { return samples.series({"single", 0, "ADD ms"}, subject); };
  into.push_back({"ADD: pons / empty program and bare kernel requests", kTimes,
                  spreadOf(quotients(bound(Pons), sums(bound(Start), bound(Floor)))), AtMost, 1.8});
  rows.ratio("DEL: pons / removal of the link alone", "DEL ms", Pons, LinkRemoval, AtMost, 1.15);
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
  for (const unsigned count : {32U, 128U}) {
    Rows rows{samples, into, "at once", count};
    for (const char* quantity : {"ADDs a second", "DELs a second"}) {
      rows.ratio(std::to_string(count) + " at once, " + quantity + ": pons / netavark", quantity, Pons, Netavark,
                 AtLeast, 15);
    }
  }
  Rows{samples, into, "at once", 32}.ratio("32 DELs at once: removals of links / pons", "DELs a second", LinkRemoval,
                                           Pons, AtMost, 1.3);
}

void addTraffic(const Samples& samples, std::vector<Row>& into) {
  Rows{samples, into, "dual stack"}.ratio("ADD: dual stack / single", "ADD ms", Pons, Baseline, AtMost, 1.3);
  Rows{samples, into, "flows", 100'000}.ratio("DEL, dual stack: with 100,000 conntrack entries / none", "DEL ms", Pons,
                                              Baseline, AtMost, 1.2);
  Rows{samples, into, "connections", 5000}.ratio("TCP connections a second: 5,000 mappings / 1", "connections a second",
                                                 Pons, Baseline, AtLeast, 0.95);
  for (const char* way : {"to outside", "published port", "container to container"}) {
    Rows rows{samples, into, way};
    for (const char* quantity : {"datagrams a processor second", "Gbit a second"}) {
      const std::string what = std::string{way} + ", " + quantity + ": pons / ";
      rows.ratio(what + "reference", quantity, Pons, ReferenceNftables, AtLeast, 1.05);
      rows.ratio(what + "no rules", quantity, Pons, Baseline, AtLeast, 0.97);
    }
  }
}

/// The least datagrams are all header: each costs the guard's hook, its chain and one lookup.
void addGuards(const Samples& samples, std::vector<Row>& into) {
  for (const auto& [experiment, what] : {std::pair{"guard", "spoof guard"}, {"policy", "egress policy, too"}}) {
    Rows rows{samples, into, experiment};
    for (const auto& [quantity, aim] : {std::pair{"published connections a second", 0.97},
                                        {"outgoing connections a second", 0.97},
                                        {"Gbit a second", 0.97},
                                        {"datagrams a processor second", 0.9}}) {
      rows.ratio(std::string{quantity} + " with " + what + " / without", quantity, Pons, Baseline, AtLeast, aim);
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

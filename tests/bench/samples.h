// Measurements and their statistics: medians with their spread, and ratios within a round, which are valid on a noisy
// machine, too.
#pragma once

#include <array>
#include <compare>
#include <map>
#include <optional>
#include <string>

#include "tests/bench/cost.h"

namespace bench {

/// Reference is that of Debian 12; those of the newest release have two backends. Start is an empty static program.
/// LinkRemoval is RTM_DELLINK alone. Baseline is pons without the load of the experiment (existing containers, a second
/// family) or, for container start, no network at all; for traffic it is veths on a bridge without any rule.
enum class Subject {
  Pons,
  Netavark,
  ReferenceNftables,
  ReferenceIptables,
  Reference,
  Floor,
  Start,
  LinkRemoval,
  Baseline
};

const char* nameOf(Subject subject);

/// What one figure is about.
struct Topic {
  std::string experiment;
  unsigned size;         ///< containers, mappings, or how many at once; 0 where there is nothing to vary
  std::string quantity;  ///< with its unit: "ADD ms"

  auto operator<=>(const Topic&) const = default;
};

/// One quantity by round.
using Series = std::map<unsigned, double>;

/// Nothing where nothing was measured.
struct Spread {
  double p10;
  double median;
  double p90;
};
std::optional<Spread> spreadOf(const Series& series);

/// above/below in the rounds that have both.
Series quotients(const Series& above, const Series& below);
/// left+right in the rounds that have both.
Series sums(const Series& left, const Series& right);

class Samples {
 public:
  using BySubject = std::map<Subject, Series>;

  void add(const Topic& topic, Subject subject, unsigned round, double value);
  /// Wall time, processor time and page faults of a verb; nothing of one that took no time, for a subject that has no
  /// such verb.
  void add(const std::string& experiment, unsigned size, const std::string& verb, Subject subject, unsigned round,
           const Cost& cost);

  /// Empty where nothing was measured.
  Series series(const Topic& topic, Subject subject) const;
  const std::map<Topic, BySubject>& all() const { return all_; }

 private:
  std::map<Topic, BySubject> all_;
};

}  // namespace bench

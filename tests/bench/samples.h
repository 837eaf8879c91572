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

/// Baseline is pons without the load of the experiment (existing containers, a second family) or, for container start,
/// no network at all.
enum class Subject { Pons, Reference, Floor, Baseline };

inline constexpr std::array kSubjects{Subject::Pons, Subject::Reference, Subject::Floor, Subject::Baseline};

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

class Samples {
 public:
  using BySubject = std::map<Subject, Series>;

  void add(const Topic& topic, Subject subject, unsigned round, double value);
  /// Wall time, processor time and page faults of a verb.
  void add(const std::string& experiment, unsigned size, const std::string& verb, Subject subject, unsigned round,
           const Cost& cost);

  /// Empty where nothing was measured.
  Series series(const Topic& topic, Subject subject) const;
  const std::map<Topic, BySubject>& all() const { return all_; }

 private:
  std::map<Topic, BySubject> all_;
};

}  // namespace bench

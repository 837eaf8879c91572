// What was measured, and what can be said of it: medians with their spread, and ratios within a round, which hold even
// where the machine is noisy.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/cost.h"

namespace bench {

enum class Subject { Pons, Reference, Floor };
enum class Verb { Add, Del, Start };

inline constexpr std::array kSubjects{Subject::Pons, Subject::Reference, Subject::Floor};
inline constexpr std::array kVerbs{Verb::Add, Verb::Del, Verb::Start};

const char* nameOf(Subject subject);
const char* nameOf(Verb verb);

struct Sample {
  unsigned round;
  Subject subject;
  Verb verb;
  Cost cost;
};

/// One quantity of one subject and verb, by round.
using Series = std::map<unsigned, double>;

/// Nothing where nothing was measured.
struct Spread {
  double p10;
  double median;
  double p90;
};
std::optional<Spread> spreadOf(const Series& series);

/// The median of above/below over the rounds that have both.
std::optional<double> ratioOf(const Series& above, const Series& below);

struct Measurements {
  std::vector<Sample> samples;
  std::map<std::pair<Subject, Verb>, Counts> counts;

  Series series(Subject subject, Verb verb, double Cost::*quantity) const;
};

}  // namespace bench

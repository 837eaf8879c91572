// The performance targets of pons, compared with the measurements.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/bench/samples.h"

namespace bench {

enum class Bound { AtMost, AtLeast };

struct Row {
  std::string what;
  std::string unit;
  std::optional<Spread> figure;  ///< nothing if not measured
  Bound bound;
  double target;

  bool met() const;
};

std::vector<Row> rowsOf(const Samples& samples);

}  // namespace bench

// Measurements as a table for people and as CSV for programs.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/samples.h"

namespace bench {

/// One line of the table: what the three took, or did, for one verb.
struct Figure {
  std::string name;
  std::string unit = {};  ///< "ms" or empty for plain numbers
  std::map<Subject, Spread> spreads = {};
  std::optional<double> referenceToPons = std::nullopt;
  std::optional<double> ponsToFloor = std::nullopt;
};

std::vector<Figure> figuresOf(const Measurements& measurements);

std::string tableOf(const std::vector<Figure>& figures);

/// Writes summary.csv (a line a figure) and samples.csv (a line a measurement) into an existing directory.
void writeCsv(const std::string& directory, const Measurements& measurements, const std::vector<Figure>& figures);

}  // namespace bench

// Measurements as text tables and as CSV.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/samples.h"
#include "tests/bench/targets.h"

namespace bench {

/// Medians, a line a subject.
std::string tableOf(const Samples& samples);
/// The rows that were measured.
std::string tableOf(const std::vector<Row>& rows);

/// Writes targets.csv (a line a row), summary.csv (a line a topic and subject) and samples.csv (a line a measurement)
/// into an existing directory.
void writeCsv(const std::string& directory, const Samples& samples, const std::vector<Row>& rows);

}  // namespace bench

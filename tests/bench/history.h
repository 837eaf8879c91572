// The rows of earlier runs, as CSV in the repository: date, commit, machine, median, row. Only runs of the same kind of
// machine are compared.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/targets.h"

namespace bench {

/// Processor and number of them, and the kernel's version without its patch level.
std::string machineKind();

/// The rows that are more than 10 % worse than the last time they were measured on such a machine, as lines of text;
/// empty where there are none, or no such run.
std::string regressions(const std::string& file, const std::vector<Row>& rows);

/// Appends the rows that have a figure. The file must exist.
void appendHistory(const std::string& file, const std::vector<Row>& rows);

}  // namespace bench

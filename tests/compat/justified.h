// What pons does differently from the reference plugins, and why that is right: the complete list, as data.
#pragma once

#include "tests/compat/facts.h"

namespace support {

/// Differences that every network may show.
const std::vector<Justified>& knownDifferences();

}  // namespace support

// Sets of installed files.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include "tests/support/scratch.h"

namespace support {

using Paths = std::set<std::string>;

/// Files and links below a directory, relative to it.
Paths filesIn(const std::filesystem::path& directory);

/// One per line; empty if there are none.
std::string differences(const Paths& have, const Paths& expected);

/// Runs `cmake --install` of this build, with DESTDIR; returns the directory with the files of that prefix.
std::filesystem::path installedIn(const Scratch& scratch, const std::string& prefix);

}  // namespace support

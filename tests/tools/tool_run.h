// Runs of ponsctl, and comparison of its output with golden files.
#pragma once

#include <string>
#include <vector>

#include "plugin/json/json.h"

#include "tests/support/process.h"
#include "tests/support/text.h"

namespace support {

/// Runs ponsctl with these arguments and only these environment variables ("NAME=value").
Outcome tool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

/// The standard output, which must be one JSON document.
pons::json::Document jsonOf(const Outcome& outcome);

/// Compares the text with tests/tools/golden/<name>. With PONS_WRITE_GOLDEN=1 the file is written first; review the
/// diff.
void checkGolden(const std::string& name, const std::string& text);

/// Checks that no line has more characters.
void checkWidth(const std::string& text, std::size_t width);

}  // namespace support

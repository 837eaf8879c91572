// The built program, called as a person calls it; and what it has to print, kept in files.
#pragma once

#include <string>
#include <vector>

#include "plugin/json/json.h"

#include "tests/support/process.h"
#include "tests/support/text.h"

namespace support {

/// "ponsctl" with these arguments, and these variables as its whole environment.
Outcome tool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {});

/// The standard output, which has to be one JSON document.
pons::json::Document jsonOf(const Outcome& outcome);

/// The text has to be that of tests/tools/golden/<name>. With PONS_WRITE_GOLDEN=1 it is written there: for people, who
/// look at what changed.
void checkGolden(const std::string& name, const std::string& text);

/// No line is longer than this, counted in characters.
void checkWidth(const std::string& text, std::size_t width);

}  // namespace support

// The built program, called as a person calls it.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "plugin/cni/json.h"

#include "tests/support/process.h"

namespace support {

/// "pons" with these arguments, and these variables as its whole environment.
inline Outcome tool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment = {}) {
  std::vector<std::string> argv{PONS_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, {.environment = environment, .input = {}});
}

inline bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The standard output, which has to be one JSON document.
inline pons::json::Document jsonOf(const Outcome& outcome) {
  CAPTURE(outcome.err);
  auto document = pons::json::Document::parse(outcome.out);
  REQUIRE_MESSAGE(document.ok(), outcome.out);
  return std::move(document).value();
}

}  // namespace support

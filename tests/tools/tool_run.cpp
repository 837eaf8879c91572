#include "tests/tools/tool_run.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

namespace support {

Outcome tool(const std::vector<std::string>& arguments, const std::vector<std::string>& environment) {
  std::vector<std::string> argv{PONSCTL_BINARY};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return run(argv, {.environment = environment, .input = {}});
}

pons::json::Document jsonOf(const Outcome& outcome) {
  CAPTURE(outcome.err);
  auto document = pons::json::Document::parse(outcome.out);
  REQUIRE_MESSAGE(document.ok(), outcome.out);
  return std::move(document).value();
}

void checkGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string{PONS_SOURCE_DIR} + "/tests/tools/golden/" + name;
  if (std::getenv("PONS_WRITE_GOLDEN") != nullptr) std::ofstream{path} << text;
  std::ifstream file{path};
  std::stringstream golden;
  golden << file.rdbuf();
  CAPTURE(name);
  CHECK(text == golden.str());
}

void checkWidth(const std::string& text, std::size_t width) {
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    const auto places =
        std::ranges::count_if(line, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; });
    CHECK_MESSAGE(static_cast<std::size_t>(places) <= width, line);
  }
}

}  // namespace support

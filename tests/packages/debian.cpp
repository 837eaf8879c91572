#include "tests/packages/debian.h"

#include <doctest/doctest.h>

#include "tests/support/scratch.h"

namespace support {

namespace fs = std::filesystem;

void mustRun(const std::vector<std::string>& command) {
  const Outcome outcome = run(command, {.environment = {}, .input = {}, .timeout = std::chrono::minutes{5}});
  REQUIRE_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

void makePackages(const fs::path& directory) {
  // As in scripts/package: all times in a package are this one.
  const fs::path build = fs::path{PONS_BINARY}.parent_path();
  mustRun({"env", "SOURCE_DATE_EPOCH=1700000000", "cpack", "--config", build / "CPackConfig.cmake", "-B", directory});
}

fs::path packageOf(const std::string& name) {
  static const Scratch scratch;
  static const fs::path directory = scratch / "packages";
  if (!fs::exists(directory)) makePackages(directory);
  for (const fs::directory_entry& entry : fs::directory_iterator{directory}) {
    if (entry.path().filename().string().starts_with(name + "_")) return entry.path();
  }
  FAIL("CPack did not make package " << name);
  return {};
}

void installPackages(const FakeRoot& root, const std::vector<fs::path>& packages) {
  // Without triggers, which would rebuild man-db's index of all manual pages.
  std::vector<std::string> command{"dpkg", "--force-unsafe-io", "--no-triggers", "--install"};
  for (const fs::path& package : packages) command.push_back(root.bring(package));
  root.outputOf(command);
}

std::string versionsOf(const FakeRoot& root, const std::string& plugin) {
  RunOptions options;
  options.environment = {"CNI_COMMAND=VERSION"};
  return root.outputOf({plugin}, options);
}

}  // namespace support

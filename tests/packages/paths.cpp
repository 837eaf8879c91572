#include "tests/packages/paths.h"

#include "tests/support/process.h"

namespace support {

namespace fs = std::filesystem;

Paths filesIn(const fs::path& directory) {
  Paths paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{directory}) {
    const bool isFile = entry.is_symlink() || !entry.is_directory();
    if (isFile) paths.insert(entry.path().lexically_relative(directory).string());
  }
  return paths;
}

std::string differences(const Paths& have, const Paths& expected) {
  std::string text;
  for (const std::string& path : have) text += expected.contains(path) ? "" : "superfluous: " + path + "\n";
  for (const std::string& path : expected) text += have.contains(path) ? "" : "missing: " + path + "\n";
  return text;
}

fs::path installedIn(const Scratch& scratch, const std::string& prefix) {
  const fs::path build = fs::path{PONS_BINARY}.parent_path();
  outputOf({"env", "DESTDIR=" + scratch.path(), "cmake", "--install", build, "--prefix", prefix});
  return scratch / prefix.substr(1);
}

}  // namespace support

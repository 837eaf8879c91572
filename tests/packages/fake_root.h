// The host's root file system below an overlay, for one test: writes are visible there only and discarded at its end.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/fake_host.h"
#include "tests/support/process.h"

namespace support {

class FakeRoot {
 public:
  FakeRoot();

  /// Runs a program there, in a network namespace of its own, without systemd, with the environment of root's shell.
  Outcome run(const std::vector<std::string>& argv, const RunOptions& options = {}) const;
  /// The output of a program that must succeed, without its last newline.
  std::string outputOf(const std::vector<std::string>& argv, const RunOptions& options = {}) const;

  /// A path of that root as the test sees it.
  std::filesystem::path operator/(const std::filesystem::path& path) const;
  /// Copies a file into its /root; returns the path there.
  std::string bring(const std::filesystem::path& file) const;

  /// Files and links that were created, changed or removed there, one per line, sorted; without /root and /var.
  std::string changed() const;

 private:
  FakeHost host_;
};

/// Calls `work` with a root; without overlayfs the case is skipped and reported as such.
void inFakeRoot(const std::function<void(const FakeRoot& root)>& work);

}  // namespace support

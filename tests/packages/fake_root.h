// The machine's own Debian, for one test: everything is there, and what is written is seen there only and ends with it.
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

  /// Runs a program there, in a network of its own and without systemd, found and told only what root's shell is.
  Outcome run(const std::vector<std::string>& argv, const RunOptions& options = {}) const;
  /// The output, without the last line's end, of a program that has to succeed.
  std::string outputOf(const std::vector<std::string>& argv, const RunOptions& options = {}) const;

  /// Where a path of that root is for the test.
  std::filesystem::path operator/(const std::filesystem::path& path) const;
  /// Puts a file into its /root; the answer is its path there.
  std::string bring(const std::filesystem::path& file) const;

  /// Files and links that were made, changed or removed there, one a line, sorted; without /root and what programs
  /// remember in /var.
  std::string changed() const;

 private:
  FakeHost host_;
};

/// Calls `work` with a root; where the kernel allows none, the case is skipped, loudly.
void inFakeRoot(const std::function<void(const FakeRoot& root)>& work);

}  // namespace support

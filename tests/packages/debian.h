// The Debian packages that CPack makes of this build.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/packages/fake_root.h"

namespace support {

/// Runs a program that must succeed, and that may take minutes on a busy machine.
void mustRun(const std::vector<std::string>& command);

/// Makes new ones in that directory.
void makePackages(const std::filesystem::path& directory);

/// Made at the first call.
std::filesystem::path packageOf(const std::string& name);

/// Copies packages into that root and runs `dpkg --install` there; it must succeed.
void installPackages(const FakeRoot& root, const std::vector<std::filesystem::path>& packages);

/// The result of VERSION of a plugin there.
std::string versionsOf(const FakeRoot& root, const std::string& plugin);

}  // namespace support

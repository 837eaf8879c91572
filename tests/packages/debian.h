// The Debian packages that CPack makes of this build.
#pragma once

#include <filesystem>
#include <string>

#include "tests/packages/fake_root.h"

namespace support {

/// Makes them anew in that directory.
void makePackages(const std::filesystem::path& directory);

/// Made by the first who asks.
std::filesystem::path packageOf(const std::string& name);

/// Brings packages into that root and runs `dpkg --install` there; it must succeed.
void installPackages(const FakeRoot& root, const std::vector<std::filesystem::path>& packages);

/// What a plugin there says to VERSION.
std::string versionsOf(const FakeRoot& root, const std::string& plugin);

}  // namespace support

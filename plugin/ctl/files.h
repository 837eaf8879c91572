// Files of the host that tools read.
#pragma once

#include <string>
#include <vector>

#include "netlib/base/result.h"

namespace pons::tools {

/// All of it; EFBIG where it is larger than any configuration.
netlib::Result<std::string> readText(const std::string& file);

/// The paths of a directory's files that end in one of these, by name; none where there is no such directory.
std::vector<std::string> filesIn(const std::string& directory, const std::vector<std::string>& endings);

/// Whatever bears that name.
bool exists(const std::string& path);

}  // namespace pons::tools

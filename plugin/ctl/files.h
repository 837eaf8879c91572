// Files and directories of the host.
#pragma once

#include <string>
#include <vector>

#include "netlib/base/result.h"

namespace pons::ctl {

/// The content of a file, pipe or device; Damaged beyond cni::kMaxInput bytes.
netlib::Result<std::string> readText(const std::string& file);

/// The paths of the files in a directory with one of these suffixes, sorted; empty if the directory cannot be read.
std::vector<std::string> filesIn(const std::string& directory, const std::vector<std::string>& endings);

/// Whether the path exists, following symbolic links.
bool exists(const std::string& path);

}  // namespace pons::ctl

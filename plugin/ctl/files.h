// Files and directories of the host.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "netlib/base/result.h"

namespace pons::ctl {

/// The content of a file, pipe or device; Damaged beyond cni::kMaxInput bytes.
netlib::Result<std::string> readText(const std::string& file);

/// The paths of the files in a directory with one of these suffixes, sorted; empty if the directory cannot be read.
std::vector<std::string> filesIn(const std::string& directory, const std::vector<std::string>& endings);

/// Replaced by rename(2), with that mode: a reader finds the old content or the new one, whole. The directory may be
/// another user's, who could have put a link under the draft's name (".NAME.draft", which no runtime reads): none is
/// followed. A draft that a killed process left is overwritten.
netlib::Result<> replaceFile(const std::string& file, std::string_view content, mode_t mode);

/// Whether the path exists, following symbolic links.
bool exists(const std::string& path);

}  // namespace pons::ctl

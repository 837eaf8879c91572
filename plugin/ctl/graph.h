// ponsctl graph: bridges, containers, published ports and uplinks in the DOT language of graphviz.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/status.h"

namespace pons::ctl {

std::string graphDot(const std::vector<AttachmentStatus>& statuses);

/// A quoted label that shows the lines literally: escape sequences and HTML entities of graphviz are escaped, bytes
/// that are not UTF-8 or not printable are replaced.
std::string labelOf(const std::vector<std::string>& lines);

}  // namespace pons::ctl

// ponsctl graph: bridges, containers, published ports and uplinks, in the DOT language of graphviz or as a tree.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/status.h"

namespace pons::ctl {

/// What is broken is red, and dashed where packets end there.
std::string graphDot(const std::vector<AttachmentStatus>& statuses);

/// A paragraph for each bridge, and a line for each of its containers.
std::string graphText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal);

/// A quoted label that shows the lines literally: escape sequences and HTML entities of graphviz are escaped, bytes
/// that are not UTF-8 or not printable are replaced.
std::string labelOf(const std::vector<std::string>& lines);

}  // namespace pons::ctl

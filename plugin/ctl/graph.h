// pons graph: the host's bridges, what hangs on them, and how packets come in and out, in the language of graphviz.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/stock.h"

namespace pons::tools {

std::string graphDot(const std::vector<Item>& stock);

/// Lines as one quoted label that shows them as they are: neither graphviz's escapes nor its entities are read into
/// them, and what is not UTF-8 or not printable is replaced.
std::string labelOf(const std::vector<std::string>& lines);

}  // namespace pons::tools

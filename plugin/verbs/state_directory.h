// State directories, as the kernel objects of this host name them.
#pragma once

#include <set>
#include <string>

#include "netlib/base/result.h"

namespace pons {

/// Those of the links and nf_tables tables of pons on this host. What an earlier pons made names none, and is taken for
/// that of the default one. A dump of all links.
netlib::Result<std::set<std::string>> stateDirectoriesInUse();

/// `stateDir` as it is named there.
std::string nameOfStateDir(const std::string& stateDir);

}  // namespace pons

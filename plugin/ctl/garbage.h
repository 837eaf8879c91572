// What dead containers and lost records left behind.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/arguments.h"
#include "plugin/engine/sweep.h"

namespace pons::tools {

struct Garbage {
  Orphan leftover;
  std::string failure = {};  ///< why it could not be taken away; empty where it was, or where nobody tried
};

struct Collection {
  bool taken = false;  ///< else it was only looked for
  std::vector<Garbage> garbage = {};
  std::vector<std::string> problems = {};  ///< what could not be looked at
};

/// Attachments whose container is dead, of all networks or of one; then what bears a network's mark in the kernel or in
/// the ledger without a record. Networks whose configuration names another ledger are left alone. EINVAL for what is no
/// name of a network.
netlib::Result<Collection> collect(Host& host, const Arguments& arguments);

}  // namespace pons::tools

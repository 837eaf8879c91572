// The commands of ponsctl, each in the file of its name; repair in check.cpp, version in commands.cpp.
#pragma once

#include "plugin/cni/environment.h"
#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

/// Parses the arguments and runs the command. Exit codes: 0, success; 1, faults found or command failed; 2, usage
/// error.
Answer run(int argc, const char* const* argv, const cni::Environment& environment);

Answer check(const Arguments& arguments);
Answer doctor(const Arguments& arguments);
Answer explain(const Arguments& arguments);
Answer gc(const Arguments& arguments);
Answer graph(const Arguments& arguments);
Answer list(const Arguments& arguments);
Answer metrics(const Arguments& arguments);
Answer networks(const Arguments& arguments);
Answer probe(const Arguments& arguments);
Answer repair(const Arguments& arguments);
Answer show(const Arguments& arguments);
Answer version(const Arguments& arguments);

}  // namespace pons::ctl

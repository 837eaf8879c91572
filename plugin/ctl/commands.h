// The commands of ponsctl, each in the file of its name; repair in check.cpp, version in commands.cpp.
#pragma once

#include "plugin/cni/environment.h"
#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

/// Parses the arguments and runs the command. Exit codes: 0, success; 1, faults found or command failed; 2, usage
/// error.
Answer run(int argc, const char* const* argv, const cni::Environment& environment);

netlib::Result<Answer> check(const Arguments& arguments);
netlib::Result<Answer> doctor(const Arguments& arguments);
netlib::Result<Answer> explain(const Arguments& arguments);
netlib::Result<Answer> gc(const Arguments& arguments);
netlib::Result<Answer> graph(const Arguments& arguments);
netlib::Result<Answer> installNode(const Arguments& arguments);
netlib::Result<Answer> list(const Arguments& arguments);
netlib::Result<Answer> metrics(const Arguments& arguments);
netlib::Result<Answer> networks(const Arguments& arguments);
netlib::Result<Answer> policy(const Arguments& arguments);
netlib::Result<Answer> probe(const Arguments& arguments);
netlib::Result<Answer> repair(const Arguments& arguments);
netlib::Result<Answer> show(const Arguments& arguments);
netlib::Result<Answer> version(const Arguments& arguments);
netlib::Result<Answer> watch(const Arguments& arguments);

}  // namespace pons::ctl

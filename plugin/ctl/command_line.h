// The command line of ponsctl. Only command_line.cpp includes CLI11.
#pragma once

#include <variant>

#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

/// The arguments, starting from `defaults`; or the answer that ends the run: help, versions, or a usage error.
std::variant<Arguments, Answer> parse(int argc, const char* const* argv, const Arguments& defaults);

}  // namespace pons::ctl

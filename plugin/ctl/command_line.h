// The arguments of pons as a tool. The only room that knows CLI11 is command_line.cpp.
#pragma once

#include <variant>

#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::tools {

/// What was asked for, beginning with `defaults`; or the answer that ends the run: help, or what was misunderstood.
std::variant<Arguments, Answer> parse(int argc, const char* const* argv, const Arguments& defaults);

}  // namespace pons::tools

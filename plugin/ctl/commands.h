// The commands, each in a file of its name.
#pragma once

#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::tools {

Answer check(const Arguments& arguments);
Answer doctor(const Arguments& arguments);
Answer explain(const Arguments& arguments);
Answer gc(const Arguments& arguments);
Answer graph(const Arguments& arguments);
Answer list(const Arguments& arguments);
Answer metrics(const Arguments& arguments);
Answer networks(const Arguments& arguments);
Answer repair(const Arguments& arguments);
Answer show(const Arguments& arguments);
Answer version(const Arguments& arguments);

}  // namespace pons::tools

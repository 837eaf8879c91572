// Static objects that only the tools need.
#pragma once

namespace pons::tools {

/// Makes the static objects of command_line.cpp: the iostreams and validators that CLI11 brings. Every ADD would make
/// them too, at the price of 15 page faults and 0.05 ms, were it left to the start of the program; the build sets their
/// makers aside (see CMakeLists.txt). Once, before anything in that file is used.
void makeStaticObjects();

}  // namespace pons::tools

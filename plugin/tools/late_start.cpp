#include "plugin/tools/late_start.h"

/// The linker bounds a section that bears the name of an identifier with these.
// NOLINTBEGIN(readability-identifier-naming)
extern "C" {
extern void (*const __start_late_init[])();
extern void (*const __stop_late_init[])();
}
// NOLINTEND(readability-identifier-naming)

namespace pons::tools {

void makeStaticObjects() {
  for (const auto* make = __start_late_init; make != __stop_late_init; ++make) (*make)();
}

}  // namespace pons::tools

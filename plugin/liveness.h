// Whether an attachment's container still exists, from what its record says.
#pragma once

#include "plugin/host.h"

namespace pons {

struct Liveness {
  bool netns;  ///< the namespace is where it was at the ADD
  bool link;   ///< the veth is there
};

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment);

}  // namespace pons

// Whether an attachment's container still exists, from what its record says.
#pragma once

#include "plugin/host.h"

namespace pons {

struct Liveness {
  bool netns;  ///< the namespace is where it was at the ADD
  bool link;   ///< the veth is there; of a chained part the same as netns
};

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment);

/// Whether a record that nobody works on is a dead container's, or what a killed verb left. One that cannot be read may
/// be a living container's, whose namespace it does not tell.
netlib::Result<bool> isDead(Host& host, const Record& record);

/// The records of the network's attachments whose namespace and link are both gone: a crashed container's, or one that
/// its runtime forgot. Those that another verb is at work on, or that a newer pons wrote, are left out.
netlib::Result<std::vector<Record>> deadOf(Host& host, const NetworkName& network);

}  // namespace pons

// Whether an attachment's container still exists, from what its record says.
#pragma once

#include "plugin/context/context.h"

namespace pons {

/// A veth goes with the namespaces of both of its ends: one that is there proves that the container lives, also where
/// the path of its namespace means nothing here (a runtime in a mount namespace of its own, a relative path).
struct Liveness {
  bool netns;  ///< the namespace is where it was at the ADD
  bool link;   ///< the veth is there; of a chained part one that prevResult named

  bool any() const { return netns || link; }
};

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment);

/// Whether a record that no verb works on is a dead container's, or what a killed verb left.
netlib::Result<bool> isDead(Host& host, const Record& record);

/// The records of the network's attachments whose namespace and link are both gone: a crashed container's, or one that
/// its runtime forgot. Those that another verb is at work on, or that a newer pons wrote, are left out.
netlib::Result<std::vector<Record>> deadOf(Host& host, const NetworkName& network);

}  // namespace pons

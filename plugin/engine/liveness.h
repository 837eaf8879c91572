// Whether an attachment's container still exists, from what its record says.
#pragma once

#include "plugin/context/context.h"

namespace pons {

/// The kernel removes a veth with the network namespace of either end: a veth that exists proves that the container
/// does, also where the path of its namespace cannot be opened from here (a runtime in its own mount namespace, a
/// relative path).
struct Liveness {
  bool netns;  ///< the path refers to the same namespace as at ADD
  bool link;   ///< the veth exists; of a chained plugin, one that prevResult named

  bool any() const { return netns || link; }
};

netlib::Result<Liveness> livenessOf(Host& host, const Attachment& attachment);

/// True where the container is gone, or the record is of an ADD or DEL that did not finish. `record` is locked, so no
/// other process works on it.
netlib::Result<bool> isDead(Host& host, const Record& record);

/// The records of those networks' attachments whose namespace and link no longer exist: of crashed containers, or of
/// those that their runtime forgot. Without those that another process has locked, or that a newer pons wrote.
netlib::Result<std::vector<Record>> deadOf(Host& host, const std::vector<NetworkName>& networks);

}  // namespace pons

// Another egress policy for containers that have one.
#pragma once

#include <span>

#include "plugin/context/context.h"

namespace pons::tables {

/// The same attachment twice, with the old egress policy and with the new one.
struct PolicyChange {
  const Attachment& from;
  const Attachment& to;
};

/// Replaces the elements of these policies in one transaction: no packet passes that both policies deny.
/// Established connections are accepted by both; the counters of what was denied start again. The ledger has the new
/// policies already: where the tables have something else than the old ones, they are rebuilt from it, under the host
/// lock, which the caller must not hold. Errors are those of commit().
netlib::Result<> replacePolicies(Host& host, std::span<const PolicyChange> changes);

}  // namespace pons::tables

// Teardown by a record, and deletion of kernel objects without one.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"
#include "plugin/engine/sweep.h"

namespace pons {

/// Tears down an attachment of the network that the configuration is of. A damaged record has only what has claims:
/// the rest is deleted as orphans. Takes the host lock.
netlib::Result<> undoRecorded(Host& host, Record& record, const cni::Config& config);

/// Deletes, counts and logs the kernel objects of the network and of the bridge without a record. Takes the host
/// lock. Continues after failures and reports all of them in one error.
netlib::Result<> deleteOrphans(Host& host, const SweepScope& scope, const netlib::IfName& bridge);

}  // namespace pons

#include "plugin/verbs/undo.h"

#include <algorithm>

#include "netlib/base/error_list.h"

#include "plugin/engine/transaction.h"
#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/verbs/attachment_builder.h"

namespace pons {

netlib::Result<> undoRecorded(Host& host, Record& record, const cni::Config& config) {
  completeFromConfig(record, config);
  const Attachment& attachment = record.attachment;
  TRY(teardown(host, record, planFor(attachment)));
  // Orphans of a chained plugin are found by the configuration of the main plugin.
  if (!record.salvaged || attachment.key.plugin != ChainedPlugin::None) return {};
  SweepScope scope{attachment.key.network, {}};
  for (const SourceNat& nat : attachment.sourceNats) {
    std::ranges::copy(nat.subnets, std::back_inserter(scope.subnets));
  }
  return deleteOrphans(host, scope, attachment.bridge.name);
}

netlib::Result<> deleteOrphans(Host& host, const SweepScope& scope, const netlib::IfName& bridge) {
  if (!host.ledger.exists()) return {};  // and no kernel object names it
  Sweep sweep{host, Sweep::Mode::Delete};
  netlib::ErrorList failures;
  failures.add("network", sweep.network(scope));
  failures.add("ports", sweep.ports());
  failures.add("shared state", sweep.shared(bridge));
  counters::count(host.ledger.path(), counters::Event::OrphanDeleted, sweep.found().size());
  for (const Orphan& orphan : sweep.found()) {
    log::info("orphan-deleted", "deleted " + orphan.kind + " " + orphan.name + ": " + orphan.why);
  }
  return failures.result();
}

}  // namespace pons

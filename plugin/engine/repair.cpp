#include "plugin/engine/repair.h"

#include "plugin/engine/inspection.h"

namespace pons {

namespace {

Finding mended(Host& host, const AttachmentKey& key, const Step& step, RepairMode mode, std::string what) {
  if (mode == RepairMode::Look) return {key, std::move(what), {}};
  const auto repaired = step.repair(host);
  return {key, std::move(what), repaired ? "" : repaired.error().message};
}

void repairOne(Host& host, const Attachment& attachment, RepairMode mode, std::vector<Finding>& findings) {
  const AttachmentKey& key = attachment.key;
  const auto visible = isVisible(host, attachment);
  if (!visible) {
    findings.push_back({key, visible.error().message, "its container is gone: DEL or GC takes it away"});
    return;
  }
  for (const auto& step : planFor(attachment)) {
    if (step->isInside() && !*visible) continue;
    const auto verified = step->verify(host);
    if (verified) continue;
    findings.push_back(mended(host, key, *step, mode, verified.error().message));
    // Whatever comes after a shared state stands on it: without its own bridge, say, it would work on another's.
    if (!step->hold().empty() && !findings.back().reason.empty()) return;
  }
}

}  // namespace

netlib::Result<std::vector<Finding>> repair(Host& host, RepairMode mode) {
  std::vector<Finding> findings;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const auto record = host.ledger.find(key, std::chrono::milliseconds{0});
    if (record.failedWith(ETIMEDOUT)) continue;  // another verb is at work on it
    if (!record) {
      findings.push_back({key, record.error().message, "its record cannot be used"});
    } else if (*record && (*record)->salvaged) {
      findings.push_back({key, "its record is damaged", "only a DEL and a new ADD bring it back"});
    } else if (*record && (*record)->state == RecordState::Committed) {
      repairOne(host, (*record)->attachment, mode, findings);
    }
  }
  return findings;
}

}  // namespace pons

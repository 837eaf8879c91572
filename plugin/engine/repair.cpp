#include "plugin/engine/repair.h"

#include "plugin/engine/inspection.h"

namespace pons {

namespace {

RepairedFault repaired(Host& host, const AttachmentKey& key, const Step& step, RepairMode mode, std::string what) {
  if (mode == RepairMode::DryRun) return {key, std::move(what), {}};
  const auto done = step.repair(host);
  return {key, std::move(what), done ? "" : done.error().message};
}

void repairOne(Host& host, const Attachment& attachment, RepairMode mode, std::vector<RepairedFault>& faults) {
  const AttachmentKey& key = attachment.key;
  const auto visible = isVisible(host, attachment);
  if (!visible) {
    faults.push_back(
        {key, visible.error().message, "its container no longer exists: DEL or GC removes the attachment"});
    return;
  }
  for (const auto& step : planFor(attachment)) {
    if (step->isInside() && !*visible) continue;
    const auto verified = step->verify(host);
    if (verified) continue;
    faults.push_back(repaired(host, key, *step, mode, verified.error().message));
    // The steps behind a shared state depend on it: without its bridge, say, they would work on another one.
    if (!step->sharedState().empty() && !faults.back().reason.empty()) return;
  }
}

}  // namespace

netlib::Result<std::vector<RepairedFault>> repair(Host& host, RepairMode mode) {
  std::vector<RepairedFault> faults;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const auto record = host.ledger.find(key, std::chrono::milliseconds{0});
    if (record.failedWith(ETIMEDOUT)) continue;  // another process works on it
    if (!record) {
      faults.push_back({key, record.error().message, "its record cannot be read"});
    } else if (*record && (*record)->salvaged) {
      faults.push_back({key, "its record is damaged", "restart the container"});
    } else if (*record && (*record)->state == RecordState::Committed) {
      repairOne(host, (*record)->attachment, mode, faults);
    }
  }
  return faults;
}

}  // namespace pons

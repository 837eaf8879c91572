#include "plugin/engine/repair.h"

#include <algorithm>
#include <map>
#include <set>

namespace pons {

namespace {

using Clock = std::chrono::steady_clock;

bool isRepairable(const Fault& fault) { return fault.difference.remedy == Remedy::Repair; }

std::string reasonOf(const Fault& fault) {
  return fault.difference.remedy == Remedy::None ? "it cannot be read"
                                                 : std::string{remedyText(fault.difference.remedy)};
}

class Repair {
 public:
  Repair(Host& host, Scope scope) : host_(host), inspection_(host), scope_(scope) {}

  void record(const AttachmentKey& key, const netlib::Result<std::optional<Record>>& found) {
    if (found.failedWith(netlib::Cause::Locked)) return;  // its ADD or DEL is running
    if (!found) {
      const Fault fault = unreadRecord(host_, key, found.error());
      faults_.push_back({key, fault, reasonOf(fault)});
    } else if (*found && (*found)->salvaged) {
      const Fault fault = damagedRecord(host_, key);
      faults_.push_back({key, fault, reasonOf(fault)});
    } else if (*found && (*found)->state == RecordState::Committed) {
      attachment((*found)->attachment);
    }
  }

  std::vector<RepairedFault> faults() && { return std::move(faults_); }

 private:
  /// Repairs one part after the other, and looks again after each: a part may need another one, or come with it.
  void attachment(const Attachment& attachment) {
    const AttachmentKey& key = attachment.key;
    std::set<std::string> tried;
    std::vector<Fault> faults = inspection_.faultsOf(attachment, scope_);
    const auto isNext = [&](const Fault& fault) {
      const std::string part = partOf(key, fault);
      return isRepairable(fault) && !tried.contains(part) && !failures_.contains(part);
    };
    for (auto next = std::ranges::find_if(faults, isNext); next != faults.end();
         next = std::ranges::find_if(faults, isNext)) {
      const Fault fault = *next;
      tried.insert(partOf(key, fault));
      const auto done = inspection_.repair(attachment, fault);
      if (!done) failures_[partOf(key, fault)] = done.error().message;
      const std::vector<Fault> left = inspection_.faultsOf(attachment, scope_);
      noteRepaired(key, fault, faults, left);
      faults = left;
    }
    for (const Fault& fault : faults) faults_.push_back({key, fault, reasonFor(key, fault)});
  }

  /// A shared state is the same part of all its attachments: where its repair failed, it is not tried again.
  static std::string partOf(const AttachmentKey& key, const Fault& fault) {
    return fault.sharedState.empty() ? key.toString() + " " + fault.step : fault.sharedState;
  }

  void noteRepaired(const AttachmentKey& key, const Fault& tried, const std::vector<Fault>& before,
                    const std::vector<Fault>& left) {
    for (const Fault& fault : before) {
      // Shared states may come back together: the rebuild of the tables restores those of all families.
      const bool isOfPart = partOf(key, fault) == partOf(key, tried) || !fault.sharedState.empty();
      const bool isRestored = isRepairable(fault) && std::ranges::find(left, fault) == left.end();
      if (isOfPart && isRestored) faults_.push_back({key, fault, ""});
    }
  }

  std::string reasonFor(const AttachmentKey& key, const Fault& fault) const {
    if (!isRepairable(fault)) return reasonOf(fault);
    const auto failure = failures_.find(partOf(key, fault));
    return failure == failures_.end() ? "the repair had no effect" : failure->second;
  }

  Host& host_;
  Inspection inspection_;
  Scope scope_;
  std::map<std::string, std::string> failures_;  // reasons, by part
  std::vector<RepairedFault> faults_;
};

/// Waits for a CHECK or another look at the attachment, but not for its ADD or DEL, which restore what they need.
netlib::Result<std::optional<Record>> settled(Host& host, const AttachmentKey& key, Clock::time_point giveUp) {
  auto found = host.ledger.find(key, std::chrono::milliseconds{0});
  if (!found.failedWith(netlib::Cause::Locked)) return found;
  const auto seen = host.ledger.snapshot(key);
  const bool isAttached = seen && *seen && (*seen)->state == RecordState::Committed;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(giveUp - Clock::now());
  return isAttached && left.count() > 0 ? host.ledger.find(key, left) : std::move(found);
}

}  // namespace

netlib::Result<std::vector<RepairedFault>> repair(Host& host, const RepairScope& scope) {
  constexpr std::chrono::milliseconds kPatience{500};  // with all of them: STATUS is called every 0.5 s
  const auto giveUp = Clock::now() + kPatience;
  Repair repair{host, scope.scope};
  std::vector<AttachmentKey> keys = TRY(host.ledger.attachments());
  // As at ADD: what a chained plugin needs, such as the bridge, another attachment may have to restore first.
  std::ranges::stable_partition(keys, [](const auto& key) { return key.plugin == ChainedPlugin::None; });
  for (const AttachmentKey& key : keys) {
    if (scope.network && key.network != *scope.network) continue;
    repair.record(key, settled(host, key, giveUp));
  }
  return std::move(repair).faults();
}

}  // namespace pons

#include "plugin/engine/inspection.h"

#include <algorithm>

#include "plugin/engine/liveness.h"
#include "plugin/ledger/claims.h"

namespace pons {

namespace {

/// False where the namespace cannot be opened by its path but the veth still exists: a runtime in a mount namespace of
/// its own. The errors of enterContainer() where the container no longer exists.
netlib::Result<bool> canEnter(Host& host, const Attachment& attachment) {
  const auto entered = enterContainer(host, attachment);
  if (entered) return true;
  const auto alive = livenessOf(host, attachment);
  if (alive && alive->link) return false;
  return netlib::fail(entered.error());
}

Fault goneContainer(const Attachment& attachment, const netlib::Error& why) {
  const std::string what = "network namespace " + attachment.netnsPath + " of the container";
  if (why.cause == netlib::Cause::WrongNetns) {
    return {{}, {}, {what, "the one of the ADD", "another one", Remedy::CollectGarbage}};
  }
  return {{}, {}, missing(what, Remedy::CollectGarbage)};
}

Fault unreadable(const std::string& step, const std::string& sharedState, const netlib::Error& error) {
  const std::string what = step.empty() ? "claims" : step;
  return {step, sharedState, {what, "", error.message, Remedy::None}, error};
}

void append(std::vector<Fault>& faults, const Step& step, const netlib::Result<Differences>& verified) {
  if (!verified) {
    faults.push_back(unreadable(step.name(), step.sharedState(), verified.error()));
    return;
  }
  for (const Difference& difference : *verified) faults.push_back({step.name(), step.sharedState(), difference});
}

/// Of the ledger: addresses, ports and references without which another attachment could get what this one has.
void appendClaims(std::vector<Fault>& faults, Host& host, const Attachment& attachment) {
  const auto lost = host.ledger.missingClaims(attachment);
  if (!lost) return faults.push_back(unreadable({}, {}, lost.error()));
  for (const auto& [what, owner] : *lost) {
    const std::string actual = owner ? "claimed by " + host.ledger.describe(*owner) : std::string{kMissing};
    const Remedy remedy = owner ? Remedy::RestartContainer : Remedy::Repair;
    faults.push_back({{}, {}, {what, "claimed by " + host.ledger.describe(attachment.key), actual, remedy}});
  }
}

std::string recordFile(Host& host, const AttachmentKey& key) {
  return "record " + host.ledger.path() + "/" + recordName(key);
}

}  // namespace

Fault damagedRecord(Host& host, const AttachmentKey& key) {
  const auto seen = host.ledger.snapshot(key);
  const std::string reason = seen.ok() ? "of another attachment" : seen.error().message;
  return {{}, {}, {recordFile(host, key), "readable", "damaged (" + reason + ")", Remedy::RestartContainer}};
}

Fault unreadRecord(Host& host, const AttachmentKey& key, const netlib::Error& error) {
  return {{}, {}, {recordFile(host, key), "", error.message, Remedy::None}, error};
}

netlib::Result<> enterContainer(Host& host, const Attachment& attachment) {
  if (host.container && idOf(*host.container) == attachment.netns) return {};
  host.container.reset();
  auto container = TRY(Container::open(attachment.netnsPath));
  if (idOf(container) != attachment.netns)
    return netlib::fail(netlib::Cause::WrongNetns,
                        attachment.netnsPath + " refers to a different network namespace than at ADD");
  host.container = std::move(container);
  return {};
}

Inspection::Verified Inspection::verify(const Step& step) {
  // Links each time: the steps behind them read host.bridge and host.vlanLink, which their verify() sets.
  if (step.sharedState().empty() || step.provided(host_) != nullptr) return step.verify(host_);
  const auto known = shared_.find(step.sharedState());
  if (known != shared_.end()) return known->second;
  return shared_.emplace(step.sharedState(), step.verify(host_)).first->second;
}

std::vector<Fault> Inspection::faultsOf(const Attachment& attachment, Scope scope) {
  std::vector<Fault> faults;
  // Of the attachment inspected before: that of a chained plugin has no step that sets them.
  host_.bridge = {};
  host_.vlanLink = {};
  if (scope != Scope::Shared) {
    const auto entered = canEnter(host_, attachment);
    if (!entered.ok()) return {goneContainer(attachment, entered.error())};
    if (!*entered) scope = Scope::Host;
    appendClaims(faults, host_, attachment);
  }
  bool bridgeIsMissing = false;
  for (const auto& step : planFor(attachment)) {
    if (step->sharedState().empty() && scope == Scope::Shared) continue;
    if (step->isInside() && scope != Scope::All) continue;
    if (step->needsBridge() && bridgeIsMissing) continue;
    append(faults, *step, verify(*step));
    if (const auto* link = step->provided(host_)) bridgeIsMissing = link->index == 0;
  }
  return faults;
}

netlib::Result<> Inspection::repair(const Attachment& attachment, const Fault& fault) {
  const bool isClaim = fault.step.empty();
  // References decide what shared states have, and the tables' rebuild restores several of them.
  if (isClaim || !fault.sharedState.empty()) shared_.clear();
  if (isClaim) {
    const HostLock hostLock = TRY(host_.ledger.lockHost());
    return host_.ledger.restoreClaims(hostLock, attachment);
  }
  const Plan plan = planFor(attachment);
  const auto step = std::ranges::find(plan, fault.step, [](const StepPointer& one) { return one->name(); });
  return step == plan.end() ? netlib::Result<>{} : (*step)->repair(host_);
}

}  // namespace pons

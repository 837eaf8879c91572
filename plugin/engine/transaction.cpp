#include "plugin/engine/transaction.h"

#include <algorithm>
#include <ranges>

#include "netlib/base/error_list.h"

#include "plugin/firewall/table_transaction.h"
#include "plugin/telemetry/log.h"
#include "plugin/telemetry/trace.h"

namespace pons {

namespace {

netlib::Result<> markDeleting(Host& host, Record& record) {
  const HostLock hostLock = TRY(host.ledger.lockHost());
  return host.ledger.markDeleting(hostLock, record);
}

void undoOwn(Host& host, const std::vector<const Step*>& steps, netlib::ErrorList& failures) {
  for (const Step* step : steps | std::views::reverse) {
    if (!step->sharedState().empty()) continue;
    failures.add("undo " + step->name(), step->undo(host));
    trace::timing("undo " + step->name());
  }
}

netlib::Result<> undoIfLast(Host& host, const HostLock& hostLock, Record& record, const Step& step) {
  const bool last = TRY(host.ledger.dropReference(hostLock, step.sharedState(), record));
  return last ? step.undo(host) : step.leave(host);
}

/// Another attachment of the container may have claimed the same ports since NftElements was undone.
netlib::Result<> handOverPorts(Host& host, const HostLock& hostLock, const Attachment& attachment) {
  const bool shared = !attachment.forwards.empty() && TRY(host.ledger.sharesPorts(attachment.key.container));
  return shared ? tables::handOver(host, hostLock, attachment) : netlib::Result<>{};
}

/// All under one lock: no other ADD may take a reference between the drop of the last one and the end of the state.
netlib::Result<> undoShared(Host& host, Record& record, const std::vector<const Step*>& steps,
                            netlib::ErrorList& failures) {
  const HostLock hostLock = TRY(host.ledger.lockHost());
  for (const Step* step : steps | std::views::reverse) {
    if (step->sharedState().empty()) continue;
    failures.add("undo " + step->name(), undoIfLast(host, hostLock, record, *step));
    trace::timing("release " + step->name());
  }
  failures.add("hand over published ports", handOverPorts(host, hostLock, record.attachment));
  if (failures.none()) failures.add("release", host.ledger.release(hostLock, record));
  trace::timing("erase the record");
  return {};
}

}  // namespace

netlib::Result<> teardown(Host& host, Record& record, const std::vector<const Step*>& steps) {
  netlib::ErrorList failures;
  failures.add("mark the record", markDeleting(host, record));
  trace::timing("mark the record");
  undoOwn(host, steps, failures);
  failures.add("lock the ledger", undoShared(host, record, steps, failures));
  return failures.result();
}

netlib::Result<> teardown(Host& host, Record& record, const Plan& plan) {
  std::vector<const Step*> steps;
  for (const auto& step : plan) steps.push_back(step.get());
  return teardown(host, record, steps);
}

Transaction::Transaction(Host& host, Record& record, const Plan& plan) : host_(host), record_(record), plan_(plan) {
  begun_.reserve(plan.size());  // apply() must not fail to note what it did
}

Transaction::~Transaction() {
  if (kept_) return;
  try {
    rollBack();
  } catch (const std::exception&) {
    // Out of memory, so it cannot be logged either: the record stays, and DEL or the next ADD finishes.
  }
}

void Transaction::rollBack() {
  std::vector<const Step*> steps;
  for (const auto& step : plan_) {
    const bool begun = std::ranges::find(begun_, step.get()) != begun_.end();
    if (begun || step->comesWithClaim()) steps.push_back(step.get());
  }
  auto taken = teardown(host_, record_, steps);
  if (taken) taken = tables::removeUnneeded(host_, record_.attachment);
  if (taken) {
    log::info("rollback", "rolled back: the host is as before");
  } else {
    log::warning("rollback-failed", "rollback: " + taken.error().message + "; DEL or the next ADD finishes it");
  }
}

netlib::Result<> Transaction::before(std::string_view stepName) {
  return host_.beforeStep ? host_.beforeStep(stepName) : netlib::Result<>{};
}

netlib::Result<> Transaction::apply(const Step& step) {
  TRY(before(step.name()));
  const auto applied = step.apply(host_);
  if (!applied.failedWith(netlib::Cause::InUse)) begun_.push_back(&step);
  if (!applied) return netlib::fail(applied.error().reworded(step.name() + ": " + applied.error().message));
  trace::timing(step.name());
  return {};
}

}  // namespace pons

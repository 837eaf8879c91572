#include "plugin/verbs/network.h"

#include <algorithm>
#include <set>

#include "netlib/base/error_list.h"
#include "netlib/nft/transaction.h"

#include "plugin/engine/liveness.h"
#include "plugin/engine/repair.h"
#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/verbs/attachment_builder.h"
#include "plugin/verbs/delegate.h"
#include "plugin/verbs/ipam.h"
#include "plugin/verbs/undo.h"

namespace pons {

using cni::ErrorCode;

namespace {

bool isListed(const cni::NetworkRequest& request, const AttachmentKey& key) {
  return std::ranges::find(*request.valid, cni::ValidAttachment{key.container, key.ifName}) != request.valid->end();
}

/// An attachment of an interrupted ADD or DEL is orphaned even if the runtime lists it.
netlib::Result<bool> isOrphaned(const cni::NetworkRequest& request, Host& host, const Record& record) {
  const bool committed = record.state == RecordState::Committed || record.salvaged;
  return request.valid && committed ? !isListed(request, record.attachment.key) : isDead(host, record);
}

netlib::Result<> collect(const cni::NetworkRequest& request, Host& host, const AttachmentKey& key) {
  auto found = host.ledger.find(key, std::chrono::milliseconds{0});
  if (found.failedWith(netlib::Cause::Locked)) return {};  // locked by another call
  if (!found) return netlib::fail(found.error());
  std::optional<Record>& record = *found;
  if (!record || !TRY(isOrphaned(request, host, *record))) return {};
  return undoRecorded(host, *record, request.config);
}

/// A lease with a record is freed with the record.
netlib::Result<bool> isOrphaned(const cni::NetworkRequest& request, Host& host, const HostLocalOwner& owner) {
  if (!isUnlisted(request.valid, owner)) return false;
  const auto container = ContainerId::parse(owner.container);
  const auto ifName = netlib::IfName::parse(owner.ifName);
  if (!container || !ifName) return true;
  return !TRY(host.ledger.hasRecord({request.network, *container, *ifName}));
}

netlib::Result<> sweepHostLocal(const cni::NetworkRequest& request, Host& host) {
  const auto& dataDir = request.config.addresses.hostLocalDir;
  if (!dataDir) return {};
  const auto files = TRY(HostLocal::lockExisting(*dataDir, request.network, host.ledger.patience()));
  if (!files) return {};
  return files->sweep([&](const HostLocalOwner& owner) { return isOrphaned(request, host, owner); });
}

/// Of the network's attachments one for each shared state: the state is the same whatever value a reference has, and
/// those of single containers hurt no ADD. Takes no lock.
netlib::Result<std::vector<Attachment>> oneForEachState(const NetworkName& network, Host& host) {
  std::set<std::string> seen;
  std::vector<Attachment> chosen;
  const auto take = [&](Attachment attachment) {
    for (const std::string& state : sharedStatesOf(attachment)) seen.insert(shared_state::stem(state));
    chosen.push_back(std::move(attachment));
  };
  if (auto any = TRY(host.ledger.anyOf(network))) take(*std::move(any));
  for (const std::string& name : TRY(host.ledger.sharedStatesNamed(""))) {
    if (shared_state::isOfOneContainer(name)) continue;
    if (seen.contains(name)) continue;
    const std::vector<AttachmentKey> holders = TRY(host.ledger.referencesTo(name));
    for (const AttachmentKey& key : holders) {
      if (key.network != network || seen.contains(name)) continue;
      const auto record = host.ledger.snapshot(key);
      const bool isWhole = record && *record && (*record)->state == RecordState::Committed;
      if (isWhole) take((*record)->attachment);
    }
  }
  return chosen;
}

netlib::Result<std::vector<Fault>> sharedFaultsOf(const NetworkName& network, Host& host) {
  Inspection inspection{host};
  std::vector<Fault> faults;
  for (const Attachment& attachment : TRY(oneForEachState(network, host))) {
    std::ranges::move(inspection.faultsOf(attachment, Scope::Shared), std::back_inserter(faults));
  }
  return faults;
}

netlib::Result<> repairAndLog(const cni::NetworkRequest& request, Host& host, const RepairScope& scope) {
  const auto faults = TRY(repair(host, scope));
  for (const auto& [key, fault, reason] : faults) {
    if (fault.difference.remedy != Remedy::Repair) continue;
    const std::string text = fault.difference.text();
    if (reason.empty()) {
      log::warning("repaired", "repaired: " + text);
    } else {
      log::warning("repair-failed", "not repaired: " + text + " (" + reason + ")");
    }
    counters::count(request.config.settings.stateDir,
                    reason.empty() ? counters::Event::Repaired : counters::Event::NotRepaired);
  }
  return {};
}

/// What the next ADD would repair is repaired here: no ADD comes while STATUS fails.
cni::Result<> healShared(const cni::NetworkRequest& request, Host& host) {
  if (TRY(sharedFaultsOf(request.network, host)).empty()) return {};
  TRY(repairAndLog(request, host, {Scope::Shared, request.network}));
  // What was lost with it: the ports of a deleted bridge, of whichever network.
  TRY(repairAndLog(request, host, {Scope::Host, std::nullopt}));
  const auto left = TRY(sharedFaultsOf(request.network, host));
  if (left.empty()) return {};
  const ErrorCode code = left.front().error ? ErrorCode::NotAvailable : ErrorCode::NotAvailableLimited;
  return cni::fail(code, left.front().difference.textWithRemedy());
}

/// A full pool of living containers is no failure: Kubernetes evicts the healthy pods of a node that is not ready.
cni::Result<> warnIfFull(const cni::NetworkRequest& request, Host& host) {
  const auto free = host.ledger.checkFree(request.network, request.config.bridge.name, request.config.addresses);
  if (free.failedWith(netlib::Cause::Exhausted)) {
    log::warning("pool-full", free.error().message);
  } else if (!free) {
    return cni::fail(ErrorCode::NotAvailable, free.error().message);
  }
  return {};
}

/// A missing plugin (InvalidEnvironment) has a code of its own in STATUS: ADD would fail.
cni::Result<> statusOfDelegate(const cni::NetworkRequest& request) {
  const auto answer = Delegate{request}.callForNetwork();
  if (answer) return {};
  cni::Error error{answer.error()};
  if (error.code == ErrorCode::InvalidEnvironment) error.code = ErrorCode::NotAvailable;
  return netlib::fail(std::move(error));
}

}  // namespace

cni::Result<> gc(const cni::NetworkRequest& request, Host& host) {
  auto calls = std::make_unique<Delegate>(request);
  const Delegate& delegate = *calls;
  host.ipam = std::move(calls);
  netlib::ErrorList failures;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const bool requested = key.network == request.network && key.plugin == request.plugin;
    if (requested) failures.add(key.toString(), collect(request, host, key));
  }
  // Only the configuration of the main plugin has bridge and subnets, by which orphans are found.
  if (request.plugin == ChainedPlugin::None) {
    failures.add("sweep",
                 deleteOrphans(host, {request.network, subnetsOf(request.config)}, request.config.bridge.name));
    failures.add("sweep host-local's files", sweepHostLocal(request, host));
  }
  failures.add("GC of the IPAM plugin", delegate.callForNetwork());
  TRY(failures.result());
  return {};
}

cni::Result<> status(const cni::NetworkRequest& request, Host& host) {
  TRY(healShared(request, host));
  const auto unavailable = [](const netlib::Error& error) { return cni::fail(ErrorCode::NotAvailable, error.message); };
  if (const auto bridges = netlib::link::probe(host.route, "bridge"); !bridges) return unavailable(bridges.error());
  if (const auto nft = netlib::nft::probe(host.netfilter); !nft) return unavailable(nft.error());
  if (const auto writable = host.ledger.checkWritable(); !writable) return unavailable(writable.error());
  TRY(warnIfFull(request, host));
  return statusOfDelegate(request);
}

}  // namespace pons

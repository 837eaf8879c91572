#include "plugin/verbs/network.h"

#include <algorithm>

#include "netlib/base/error_list.h"
#include "netlib/nft/transaction.h"

#include "plugin/engine/liveness.h"
#include "plugin/engine/sweep.h"
#include "plugin/engine/transaction.h"
#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/verbs/attachment_builder.h"
#include "plugin/verbs/delegate.h"
#include "plugin/verbs/ipam.h"

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
  if (found.failedWith(ETIMEDOUT)) return {};  // locked by another call
  if (!found) return netlib::fail(found.error());
  std::optional<Record>& record = *found;
  if (!record || !TRY(isOrphaned(request, host, *record))) return {};
  completeFromConfig(*record, request.config);
  return teardown(host, *record, planFor(record->attachment));
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

netlib::Result<> sweepNetwork(const cni::NetworkRequest& request, Host& host) {
  Sweep sweep{host, Sweep::Mode::Delete};
  netlib::ErrorList failures;
  failures.add("network", sweep.network({request.network, subnetsOf(request.config)}));
  failures.add("ports", sweep.ports());
  failures.add("shared state", sweep.shared(request.config.bridge));
  counters::count(request.config.settings.stateDir, counters::Event::OrphanDeleted, sweep.found().size());
  for (const Orphan& orphan : sweep.found()) {
    log::info("deleted " + orphan.kind + " " + orphan.name + ": " + orphan.why);
  }
  return failures.result();
}

cni::Failure limited(const std::string& what) {
  return cni::fail(ErrorCode::NotAvailableLimited, what + ": run \"ponsctl repair\"");
}

cni::Result<> verifyShared(const NetworkName& network, Host& host) {
  // All attachments of a network have the same shared state.
  const auto attachment = TRY(host.ledger.anyOf(network));
  if (!attachment) return {};
  for (const auto& step : planFor(*attachment)) {
    if (step->sharedState().empty()) continue;
    const auto verified = step->verify(host);
    if (!verified) return limited(verified.error().message);
  }
  return {};
}

/// A missing plugin (InvalidEnvironment) has a code of its own in STATUS: ADD would fail.
cni::Result<> statusOfDelegate(const cni::NetworkRequest& request) {
  auto answer = Delegate{request}.callForNetwork();
  if (!answer && answer.error().code == ErrorCode::InvalidEnvironment) {
    return cni::fail(ErrorCode::NotAvailable, answer.error().message, answer.error().details);
  }
  return answer;
}

}  // namespace

cni::Result<> gc(const cni::NetworkRequest& request, Host& host) {
  auto calls = std::make_unique<Delegate>(request);
  Delegate& delegate = *calls;
  host.ipam = std::move(calls);
  netlib::ErrorList failures;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const bool requested = key.network == request.network && key.plugin == request.plugin;
    if (requested) failures.add(key.toString(), collect(request, host, key));
  }
  // Only the configuration of the main plugin has bridge and subnets, by which orphans are found.
  if (request.plugin == ChainedPlugin::None) {
    failures.add("sweep", sweepNetwork(request, host));
    failures.add("sweep host-local's files", sweepHostLocal(request, host));
  }
  const auto forwarded = delegate.callForNetwork();
  if (failures.none()) return forwarded;
  if (!forwarded) failures.add("GC of the IPAM plugin", netlib::fail(EREMOTEIO, forwarded.error().message));
  return netlib::fail(delegate.withPluginError(failures.result().error()));
}

cni::Result<> status(const cni::NetworkRequest& request, Host& host) {
  TRY(verifyShared(request.network, host));
  const auto unavailable = [](const netlib::Error& error) { return cni::fail(ErrorCode::NotAvailable, error.message); };
  if (const auto bridges = netlib::link::probe(host.route, "bridge"); !bridges) return unavailable(bridges.error());
  if (const auto nft = netlib::nft::probe(host.netfilter); !nft) return unavailable(nft.error());
  if (const auto writable = host.ledger.checkWritable(); !writable) return unavailable(writable.error());
  const auto free = host.ledger.checkFree(request.network, request.config.addresses);
  // With dead attachments the next ADD reclaims their addresses: a runtime that calls STATUS first must not skip it.
  if (!free && TRY(deadOf(host, request.network)).empty()) return unavailable(free.error());
  return statusOfDelegate(request);
}

}  // namespace pons

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

/// What a killed verb left goes whatever the runtime says.
netlib::Result<bool> isGarbage(const cni::NetworkRequest& request, Host& host, const Record& record) {
  const bool committed = record.state == RecordState::Committed || record.salvaged;
  return request.valid && committed ? !isListed(request, record.attachment.key) : isDead(host, record);
}

netlib::Result<> collect(const cni::NetworkRequest& request, Host& host, const AttachmentKey& key) {
  auto found = host.ledger.find(key, std::chrono::milliseconds{0});
  if (found.failedWith(ETIMEDOUT)) return {};  // another verb is at work on it
  if (!found) return netlib::fail(found.error());
  std::optional<Record>& record = *found;
  if (!record || !TRY(isGarbage(request, host, *record))) return {};
  fillIn(*record, request.config);
  return teardown(host, *record, planFor(record->attachment));
}

/// One on record goes with its record.
netlib::Result<bool> isGarbage(const cni::NetworkRequest& request, Host& host, const HostLocalOwner& owner) {
  if (!isForgotten(request.valid, owner)) return false;
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
  return files->sweep([&](const HostLocalOwner& owner) { return isGarbage(request, host, owner); });
}

netlib::Result<> sweepNetwork(const cni::NetworkRequest& request, Host& host) {
  Sweep sweep{host, Sweep::Mode::Delete};
  netlib::ErrorList failures;
  failures.add("network", sweep.network({request.network, subnetsOf(request.config)}));
  failures.add("ports", sweep.ports());
  failures.add("shared state", sweep.shared(request.config.bridge));
  tally::count(request.config.settings.stateDir, tally::Event::Swept, sweep.found().size());
  for (const Orphan& swept : sweep.found()) log::info("swept " + swept.kind + " " + swept.name + ": " + swept.why);
  return failures.result();
}

cni::Failure limited(const std::string& what) {
  return cni::fail(ErrorCode::NotAvailableLimited, what + ": run \"pons repair\"");
}

cni::Result<> verifyShared(const NetworkName& network, Host& host) {
  // The shared state of a network's attachments follows from any one of them.
  const auto attachment = TRY(host.ledger.anyOf(network));
  if (!attachment) return {};
  for (const auto& step : planFor(*attachment)) {
    if (step->sharedState().empty()) continue;
    const auto verified = step->verify(host);
    if (!verified) return limited(verified.error().message);
  }
  return {};
}

/// A plugin that is not there gives no address: in STATUS that is its own code.
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
    const bool asked = key.network == request.network && key.plugin == request.part;
    if (asked) failures.add(key.toString(), collect(request, host, key));
  }
  // What bears a mark without a record is looked for by the plugin that is told of the bridge and the subnets.
  if (request.part == ChainedPlugin::None) {
    failures.add("sweep", sweepNetwork(request, host));
    failures.add("sweep host-local's files", sweepHostLocal(request, host));
  }
  const auto forwarded = delegate.callForNetwork();
  if (failures.none()) return forwarded;
  if (!forwarded) failures.add("GC of the IPAM plugin", netlib::fail(EREMOTEIO, forwarded.error().message));
  return netlib::fail(delegate.explained(failures.result().error()));
}

cni::Result<> status(const cni::NetworkRequest& request, Host& host) {
  TRY(verifyShared(request.network, host));
  const auto unavailable = [](const netlib::Error& error) { return cni::fail(ErrorCode::NotAvailable, error.message); };
  if (const auto bridges = netlib::link::probe(host.route, "bridge"); !bridges) return unavailable(bridges.error());
  if (const auto nft = netlib::nft::probe(host.netfilter); !nft) return unavailable(nft.error());
  if (const auto writable = host.ledger.checkWritable(); !writable) return unavailable(writable.error());
  const auto free = host.ledger.checkFree(request.network, request.config.addresses);
  // The next ADD takes the dead ones away. Were it not said so, a runtime that asks before each ADD would never come to
  // the one that heals the pool.
  if (!free && TRY(deadOf(host, request.network)).empty()) return unavailable(free.error());
  return statusOfDelegate(request);
}

}  // namespace pons

#include "plugin/verbs/attachment_claim.h"

#include "netlib/base/error_list.h"
#include "netlib/rtnl/route.h"

#include "plugin/engine/liveness.h"
#include "plugin/engine/transaction.h"
#include "plugin/ledger/reservation.h"
#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/verbs/attachment_builder.h"
#include "plugin/verbs/chained_builder.h"
#include "plugin/verbs/undo.h"

namespace pons {

using cni::ErrorCode;

namespace {

netlib::Result<> reclaim(const cni::Request& request, Host& host, Record& record) {
  if (record.attachment.key.network == request.key.network) completeFromConfig(record, request.config);
  TRY(teardown(host, record, planFor(record.attachment)));
  counters::count(request.config.settings.stateDir, counters::Event::Reclaimed);
  log::warning("reclaimed",
               "reclaimed " + record.attachment.key.toString() + ": network namespace and veth no longer exist");
  return {};
}

/// Also reclaims what chained plugins have configured for the same interface.
netlib::Result<> reclaimChained(const cni::Request& request, Host& host) {
  for (const auto& [plugin, name] : kChainedPlugins) {
    AttachmentKey key = request.key;
    key.plugin = plugin;
    auto record = TRY(host.ledger.find(key));
    if (record) TRY(reclaim(request, host, *record));
  }
  return {};
}

/// False if the runtime restarts a container that ended without DEL: the kernel removes a veth with its network
/// namespace. A chained plugin has no veth of its own; it also compares the namespace (device and inode).
netlib::Result<bool> isStillAttached(const cni::Request& request, Host& host, const Attachment& attachment) {
  const Liveness alive = TRY(livenessOf(host, attachment));
  if (request.key.plugin == ChainedPlugin::None) return alive.link;
  return TRY(netnsIdAt(request.netnsPath)) == attachment.netns && alive.any();
}

/// Reclaims all dead attachments of the networks on the bridge, which do not lease each other's addresses. True if any
/// was reclaimed.
netlib::Result<bool> reclaimDead(const cni::Request& request, Host& host) {
  std::vector<NetworkName> networks = TRY(host.ledger.networksBeside(request.key.network, request.config.bridge.name));
  networks.push_back(request.key.network);
  std::vector<Record> dead = TRY(deadOf(host, networks));
  bool any = false;
  for (Record& record : dead) {
    const std::string key = record.attachment.key.toString();
    // Left to the next GC; the others are reclaimed.
    const auto reclaimed = reclaim(request, host, record);
    if (!reclaimed) log::warning("reclaim-failed", "cannot reclaim " + key + ": " + reclaimed.error().message);
    any |= reclaimed.ok();
  }
  return any;
}

/// Reclaims an attachment of any network. True if its resources are free now.
netlib::Result<bool> reclaimIfDead(const cni::Request& request, Host& host, const AttachmentKey& owner) {
  auto record = host.ledger.find(owner, std::chrono::milliseconds{0});
  if (record.failedWith(netlib::Cause::Locked)) return false;  // locked by another call
  if (!record) return netlib::fail(record.error());
  if (!*record) return true;
  if (!TRY(isDead(host, **record))) return false;
  const auto reclaimed = reclaim(request, host, **record);
  if (!reclaimed)
    log::warning("reclaim-failed", "cannot reclaim " + owner.toString() + ": " + reclaimed.error().message);
  return reclaimed.ok();
}

/// Reclaims dead attachments that made a claim fail. True if the claim may succeed now.
netlib::Result<bool> resolveConflict(const cni::Request& request, Host& host, const Refusal& refused) {
  const bool inUse = refused.cause == netlib::Cause::InUse;
  if (inUse && refused.holder) return reclaimIfDead(request, host, *refused.holder);
  // A pool without a free address, or a fixed address that the container had before a crash of the host or runtime.
  return inUse || refused.cause == netlib::Cause::Exhausted ? reclaimDead(request, host) : false;
}

netlib::Result<> avoidHostAddresses(Reservation& reservation, Host& host) {
  for (std::size_t i = 0; i < reservation.leases().size(); ++i) {
    while (TRY(netlib::route::isLocal(host.route, reservation.leases()[i].address.address()))) {
      TRY(reservation.chooseAnother(i));
    }
  }
  return {};
}

netlib::Result<Record, Refusal> claimOnce(const cni::Request& request, Host& host) {
  const std::uint32_t mtu = TRY(mtuFor(request.config, host));
  auto reservation = TRY(host.ledger.reserve(request.key, request.config.bridge.name, request.config.addresses));
  TRY(avoidHostAddresses(reservation, host));
  Attachment attachment = TRY(attachmentFor(request, idOf(*host.container), mtu, reservation.leases()));
  return std::move(reservation).write(std::move(attachment));
}

/// Has no addresses, so that it can be built before the locks are taken.
netlib::Result<Record, Refusal> claimChained(const cni::Request& request, Host& host) {
  Attachment attachment = TRY(chainedAttachmentFor(request, idOf(*host.container), host));
  auto reservation = TRY(host.ledger.reserve(request.key, attachment.bridge.name, request.config.addresses));
  return std::move(reservation).write(std::move(attachment));
}

cni::Result<Record> claimAgainstTheDead(const cni::Request& request, Host& host) {
  for (;;) {
    auto record = request.key.plugin == ChainedPlugin::None ? claimOnce(request, host) : claimChained(request, host);
    // Each iteration has freed resources of an attachment that no longer exists.
    if (record || !TRY(resolveConflict(request, host, record.error()))) return TRY(std::move(record));
  }
}

}  // namespace

cni::Result<> undoInterrupted(const cni::Request& request, Host& host) {
  const AttachmentKey& key = request.key;
  auto record = TRY(host.ledger.find(key));
  if (!record) return {};
  if (record->state != RecordState::Committed) {
    TRY(undoRecorded(host, *record, request.config));
    return {};
  }
  if (TRY(isStillAttached(request, host, record->attachment))) {
    const std::string plugin =
        key.plugin == ChainedPlugin::None ? "" : " (plugin " + std::string{nameOf(key.plugin)} + ")";
    return cni::fail(ErrorCode::AlreadyAttached, containerText(record->attachment) +
                                                     " is already attached to network " + key.network.toString() +
                                                     " as " + key.ifName.toString() + plugin + ": call DEL first");
  }
  if (key.plugin == ChainedPlugin::None) TRY(reclaimChained(request, host));
  TRY(reclaim(request, host, *record));
  return {};
}

cni::Result<Record> claim(const cni::Request& request, Host& host) {
  auto record = claimAgainstTheDead(request, host);
  if (!record && request.config.delegated && record.error().code != ErrorCode::AlreadyAttached) {
    const auto freed = freeAddresses(request, host);
    if (!freed) log::warning("rollback-failed", "rollback: " + freed.error().message);
  }
  return record;
}

netlib::Result<> freeAddresses(const cni::Request& request, Host& host) {
  Attachment unknown = bareAttachment(request.key, request.config.bridge.name);
  unknown.hostLocalDir = request.config.addresses.hostLocalDir;
  unknown.delegated = request.config.delegated;
  netlib::ErrorList failures;
  for (const auto& step : ipamPlanFor(unknown)) failures.add("undo " + step->name(), step->undo(host));
  return failures.result();
}

}  // namespace pons

#include "plugin/verbs/attach.h"

#include <algorithm>

#include "netlib/base/error_list.h"
#include "netlib/rtnl/route.h"

#include "plugin/engine/liveness.h"
#include "plugin/engine/transaction.h"
#include "plugin/migration/reference_orphans.h"
#include "plugin/telemetry/counters.h"
#include "plugin/telemetry/log.h"
#include "plugin/telemetry/trace.h"
#include "plugin/verbs/attachment_builder.h"
#include "plugin/verbs/chained_builder.h"
#include "plugin/verbs/delegate.h"

namespace pons {

using cni::ErrorCode;

namespace {

netlib::Result<> reclaim(const cni::Request& request, Host& host, Record& record) {
  if (record.attachment.key.network == request.key.network) completeFromConfig(record, request.config);
  TRY(teardown(host, record, planFor(record.attachment)));
  counters::count(request.config.settings.stateDir, counters::Event::Reclaimed);
  log::warning("reclaimed " + record.attachment.key.toString() + ": network namespace and veth no longer exist");
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
  const auto netns = TRY(netlib::netnsAt(request.netnsPath));
  const bool sameNetns = netns && NetnsId{netns->device, netns->inode} == attachment.netns;
  return sameNetns && alive.any();
}

/// Tears down the attachment of an interrupted ADD or DEL (its record is unlocked, but not committed) or of a dead
/// container with the same key.
cni::Result<> undoInterrupted(const cni::Request& request, Host& host) {
  const AttachmentKey& key = request.key;
  auto record = TRY(host.ledger.find(key));
  if (!record) return {};
  if (record->state != RecordState::Committed) {
    completeFromConfig(*record, request.config);
    TRY(teardown(host, *record, planFor(record->attachment)));
    return {};
  }
  if (TRY(isStillAttached(request, host, record->attachment))) {
    const std::string plugin =
        key.plugin == ChainedPlugin::None ? "" : " (plugin " + std::string{nameOf(key.plugin)} + ")";
    return cni::fail(ErrorCode::AlreadyAttached, "container " + key.container.toString() +
                                                     " is already attached to network " + key.network.toString() +
                                                     " as " + key.ifName.toString() + plugin + ": call DEL first");
  }
  if (key.plugin == ChainedPlugin::None) TRY(reclaimChained(request, host));
  TRY(reclaim(request, host, *record));
  return {};
}

cni::Result<Container> openContainer(const std::string& path) {
  auto container = Container::open(path);
  // Nothing has been changed yet, so the runtime need not call DEL.
  if (container.failedWith(ENOENT)) return cni::fail(ErrorCode::UnknownContainer, container.error().message);
  return TRY(std::move(container));
}

/// Reclaims all dead attachments of the network. True if any was reclaimed.
netlib::Result<bool> reclaimDead(const cni::Request& request, Host& host) {
  std::vector<Record> dead = TRY(deadOf(host, request.key.network));
  bool any = false;
  for (Record& record : dead) {
    const std::string key = record.attachment.key.toString();
    // Left to the next GC; the others are reclaimed.
    const auto reclaimed = reclaim(request, host, record);
    if (!reclaimed) log::warning("cannot reclaim " + key + ": " + reclaimed.error().message);
    any |= reclaimed.ok();
  }
  return any;
}

/// Reclaims an attachment of any network. True if its resources are free now.
netlib::Result<bool> reclaimIfDead(const cni::Request& request, Host& host, const AttachmentKey& owner) {
  auto record = host.ledger.find(owner, std::chrono::milliseconds{0});
  if (record.failedWith(ETIMEDOUT)) return false;  // locked by another call
  if (!record) return netlib::fail(record.error());
  if (!*record) return true;
  if (!TRY(isDead(host, **record))) return false;
  const auto reclaimed = reclaim(request, host, **record);
  if (!reclaimed) log::warning("cannot reclaim " + owner.toString() + ": " + reclaimed.error().message);
  return reclaimed.ok();
}

/// Reclaims dead attachments that made a claim fail. True if the claim may succeed now.
netlib::Result<bool> resolveConflict(const cni::Request& request, Host& host, const netlib::Error& refused) {
  // A pool without a free address, or a fixed address that the container had before a crash of the host or runtime.
  const std::optional<AttachmentKey> owner = host.ledger.conflict();
  if (refused.code == EADDRINUSE && owner) return reclaimIfDead(request, host, *owner);
  return refused.code == EADDRNOTAVAIL || refused.code == EADDRINUSE ? reclaimDead(request, host) : false;
}

/// For an attachment without a record: frees its addresses in the files of host-local and the delegated IPAM plugin.
netlib::Result<> freeAddresses(const cni::Request& request, Host& host) {
  Attachment unknown = bareAttachment(request.key, request.config.bridge);
  unknown.hostLocalDir = request.config.addresses.hostLocalDir;
  unknown.delegated = request.config.delegated;
  netlib::ErrorList failures;
  for (const auto& step : ipamPlanFor(unknown)) failures.add("undo " + step->name(), step->undo(host));
  return failures.result();
}

cni::Result<Record> claimAddresses(const cni::Request& request, Host& host) {
  const std::uint32_t mtu = TRY(mtuFor(request.config, host));
  const auto isHostAddress = [&host](const netlib::IpAddress& address) {
    return netlib::route::isLocal(host.route, address);
  };
  const bool isChained = request.key.plugin != ChainedPlugin::None;
  const auto complete = [&](std::vector<Lease> leases) -> netlib::Result<Attachment> {
    return isChained ? chainedAttachmentFor(request, idOf(*host.container), host)
                     : attachmentFor(request, idOf(*host.container), mtu, std::move(leases));
  };
  for (;;) {
    auto record = host.ledger.claim(request.key, request.config.addresses, isHostAddress, complete);
    // Each iteration has freed resources of an attachment that no longer exists.
    if (record || !TRY(resolveConflict(request, host, record.error()))) return TRY(std::move(record));
  }
}

/// If the claim fails, frees the addresses of the delegated plugin, unless the key is already attached: a DEL would
/// free the addresses of that attachment.
cni::Result<Record> claim(const cni::Request& request, Host& host) {
  auto record = claimAddresses(request, host);
  if (!record && request.config.delegated && record.error().code != ErrorCode::AlreadyAttached) {
    const auto freed = freeAddresses(request, host);
    if (!freed) log::warning("rollback: " + freed.error().message);
  }
  return record;
}

/// prevResult must contain the interface and addresses of this attachment; entries of other plugins are ignored.
cni::Result<> comparePrevResult(const cni::AddResult& previous, const Attachment& attachment) {
  const auto named = std::ranges::find_if(previous.interfaces, [&](const cni::Interface& interface) {
    return interface.name == attachment.key.ifName.toString() && !interface.sandbox.empty();
  });
  // Results before 0.3.0 have no interfaces.
  if (!previous.interfaces.empty() && named == previous.interfaces.end()) {
    return cni::fail(ErrorCode::CheckFailed, "prevResult has no interface " + attachment.key.ifName.toString());
  }
  for (const Lease& lease : attachment.leases) {
    if (std::ranges::find(previous.addresses, lease.address, &cni::Address::address) == previous.addresses.end()) {
      return cni::fail(ErrorCode::CheckFailed,
                       "prevResult lacks address " + lease.address.toString() + ", which is leased to this container");
    }
  }
  return {};
}

cni::Result<> openForCheck(const cni::Request& request, const Attachment& attachment, Host& host) {
  auto container = Container::open(request.netnsPath);
  if (container.failedWith(ENOENT)) {
    return cni::fail(ErrorCode::CheckFailed,
                     "the network namespace of the container no longer exists: " + container.error().message);
  }
  host.container = TRY(std::move(container));
  if (idOf(*host.container) != attachment.netns) {
    return cni::fail(ErrorCode::CheckFailed,
                     request.netnsPath + " refers to a different network namespace than at ADD");
  }
  return {};
}

/// Through it the steps call the delegated IPAM plugin.
Delegate& installDelegate(const cni::Request& request, Host& host) {
  auto delegate = std::make_unique<Delegate>(request);
  Delegate& installed = *delegate;
  host.ipam = std::move(delegate);
  return installed;
}

/// No record: possibly attached by the reference plugins.
UnrecordedAttachment unrecordedOf(const cni::Request& request) {
  UnrecordedAttachment unrecorded{request.key, request.netnsPath};
  if (request.key.plugin == ChainedPlugin::None) unrecorded.bridge = request.config.bridge;
  if (!request.previous) return unrecorded;
  for (const cni::Address& given : request.previous->addresses) unrecorded.addresses.push_back(given.address.address());
  return unrecorded;
}

/// Log fields of all following lines, whether ADD succeeds or fails.
void setLogFields(const Attachment& attachment) {
  std::string addresses;
  for (const Lease& lease : attachment.leases) addresses += (addresses.empty() ? "" : ",") + lease.address.toString();
  std::string ports;
  for (const PortForward& forward : attachment.forwards) {
    ports += (ports.empty() ? "" : ",") + std::string{nameOf(forward.protocol)} + "/" +
             std::to_string(forward.hostPort) + ">" + std::to_string(forward.targetPort);
  }
  if (attachment.key.plugin == ChainedPlugin::None) log::setField("link", attachment.hostVeth.toString());
  log::setField("addresses", std::move(addresses));
  log::setField("ports", std::move(ports));
}

}  // namespace

cni::Result<std::string> add(const cni::Request& received, Host& host) {
  Delegate& delegate = installDelegate(received, host);
  TRY(undoInterrupted(received, host));
  const bool isChained = received.key.plugin != ChainedPlugin::None;
  if (isChained && !hasWork(received)) return cni::printResult(*received.previous, received.version);
  host.container = TRY(openContainer(received.netnsPath));
  const cni::Request request = TRY(delegate.add(received));
  trace::timing("look at container and record");

  // The record is written before the kernel is changed: DEL and GC can clean up even if the process is killed.
  Record record = TRY(claim(request, host));
  setLogFields(record.attachment);
  const Plan plan = planFor(record.attachment);
  trace::timing("claim addresses and ports");

  Transaction transaction{host, record, plan};
  for (const auto& step : plan) TRY(transaction.apply(*step));

  // A path in /proc/PID refers to another namespace if the process has ended and its PID has been reused.
  TRY(host.container->netns.verifyStillAt(request.netnsPath));
  const cni::AddResult added = isChained ? describeChained(request) : describe(request, record.attachment, host);
  std::string result = TRY(cni::printResult(added, request.version));
  TRY(host.ledger.commit(record));
  transaction.keep();
  trace::timing("commit the record");
  return result;
}

cni::Result<> del(const cni::Request& request, Host& host) {
  const Delegate& delegate = installDelegate(request, host);
  auto record = TRY(host.ledger.find(request.key));
  if (record) {
    completeFromConfig(*record, request.config);
    const auto undone = teardown(host, *record, planFor(record->attachment));
    if (!undone) return netlib::fail(delegate.withPluginError(undone.error()));
  } else {
    TRY(host.ledger.tidy(request.key.network));
    netlib::ErrorList failures;
    failures.add("state of the reference plugins", removeReferenceOrphans(host, unrecordedOf(request)));
    failures.add("free addresses", freeAddresses(request, host));
    if (!failures.none()) return netlib::fail(delegate.withPluginError(failures.result().error()));
  }
  return {};
}

cni::Result<> check(const cni::Request& request, Host& host) {
  if (request.key.plugin != ChainedPlugin::None && !hasWork(request)) return {};
  const Delegate& delegate = installDelegate(request, host);
  const auto record = TRY(host.ledger.find(request.key));
  if (!record || record->state != RecordState::Committed) {
    return cni::fail(ErrorCode::CheckFailed, request.key.toString() + " is not attached");
  }
  if (!request.previous) return cni::fail(ErrorCode::InvalidConfig, "CHECK requires prevResult");
  TRY(comparePrevResult(*request.previous, record->attachment));
  TRY(openForCheck(request, record->attachment, host));
  for (const auto& step : planFor(record->attachment)) {
    const auto verified = step->verify(host);
    if (verified.failedWith(kBroken)) {
      return cni::fail(ErrorCode::CheckFailed, verified.error().message + ": run \"ponsctl repair\"");
    }
    if (!verified) return netlib::fail(delegate.withPluginError(verified.error()));
  }
  return {};
}

}  // namespace pons

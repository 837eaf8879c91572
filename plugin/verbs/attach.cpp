#include "plugin/verbs/attach.h"

#include <algorithm>

#include "netlib/base/error_list.h"
#include "netlib/rtnl/route.h"

#include "plugin/engine/liveness.h"
#include "plugin/engine/transaction.h"
#include "plugin/migration/reference_leftovers.h"
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
  if (record.attachment.key.network == request.key.network) fillIn(record, request.config);
  TRY(teardown(host, record, planFor(record.attachment)));
  tally::count(request.config.settings.stateDir, tally::Event::Reclaimed);
  log::warning("reclaimed " + record.attachment.key.toString() + ": its namespace and its link are gone");
  return {};
}

/// What the other plugins of the chain did for the same interface is dead with it.
netlib::Result<> reclaimChained(const cni::Request& request, Host& host) {
  for (const auto& [part, name] : kChainedPlugins) {
    AttachmentKey key = request.key;
    key.plugin = part;
    auto record = TRY(host.ledger.find(key));
    if (record) TRY(reclaim(request, host, *record));
  }
  return {};
}

/// False where the runtime restarts a container that went without a DEL. A veth goes with its container; a
/// chained part, which has none of its own, may also tell by the namespace.
netlib::Result<bool> isStillAttached(const cni::Request& request, Host& host, const Attachment& attachment) {
  const Liveness alive = TRY(livenessOf(host, attachment));
  if (request.key.plugin == ChainedPlugin::None) return alive.link;
  const auto netns = TRY(netlib::netnsAt(request.netnsPath));
  const bool sameNetns = netns && NetnsId{netns->device, netns->inode} == attachment.netns;
  return sameNetns && alive.any();
}

/// A record whose lock is free and which is not committed: the ADD or DEL that worked on it died. It is undone first,
/// and so is a dead container's.
cni::Result<> undoInterrupted(const cni::Request& request, Host& host) {
  const AttachmentKey& key = request.key;
  auto record = TRY(host.ledger.find(key));
  if (!record) return {};
  if (record->state != RecordState::Committed) {
    fillIn(*record, request.config);
    TRY(teardown(host, *record, planFor(record->attachment)));
    return {};
  }
  if (TRY(isStillAttached(request, host, record->attachment))) {
    const std::string plugin = key.plugin == ChainedPlugin::None ? "" : " (plugin " + std::string{nameOf(key.plugin)} + ")";
    return cni::fail(ErrorCode::AlreadyAttached, "container " + key.container.toString() + " is attached to network " +
                                                     key.network.toString() + " as " + key.ifName.toString() + plugin +
                                                     " already: DEL it first");
  }
  if (key.plugin == ChainedPlugin::None) TRY(reclaimChained(request, host));
  TRY(reclaim(request, host, *record));
  return {};
}

cni::Result<Container> openContainer(const std::string& path) {
  auto container = Container::open(path);
  // Nothing was made yet, so the runtime may be told that no DEL is needed.
  if (container.failedWith(ENOENT)) return cni::fail(ErrorCode::UnknownContainer, container.error().message);
  return TRY(std::move(container));
}

/// Those of the network that are dead. True where any were.
netlib::Result<bool> reclaimDead(const cni::Request& request, Host& host) {
  std::vector<Record> dead = TRY(deadOf(host, request.key.network));
  bool any = false;
  for (Record& record : dead) {
    const std::string who = record.attachment.key.toString();
    // It keeps what it has. The others are reclaimed nevertheless.
    const auto reclaimed = reclaim(request, host, record);
    if (!reclaimed) log::warning("cannot reclaim " + who + ": " + reclaimed.error().message);
    any |= reclaimed.ok();
  }
  return any;
}

/// Of whichever network. True where it was dead.
netlib::Result<bool> reclaimIfDead(const cni::Request& request, Host& host, const AttachmentKey& rival) {
  auto record = host.ledger.find(rival, std::chrono::milliseconds{0});
  if (record.failedWith(ETIMEDOUT)) return false;  // another verb is at work on it
  if (!record) return netlib::fail(record.error());
  if (!*record) return true;
  if (!TRY(isDead(host, **record))) return false;
  const auto reclaimed = reclaim(request, host, **record);
  if (!reclaimed) log::warning("cannot reclaim " + rival.toString() + ": " + reclaimed.error().message);
  return reclaimed.ok();
}

/// True where what a claim failed for is free now, at least in part.
netlib::Result<bool> makeRoom(const cni::Request& request, Host& host, const netlib::Error& refused) {
  // A network without a free address, or a fixed address that the container had before its host or runtime crashed.
  const std::optional<AttachmentKey> rival = host.ledger.conflict();
  if (refused.code == EADDRINUSE && rival) return reclaimIfDead(request, host, *rival);
  return refused.code == EADDRNOTAVAIL || refused.code == EADDRINUSE ? reclaimDead(request, host) : false;
}

/// Attached by the reference plugins, or its record is lost: whoever else may hold addresses for it is told.
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
    // Each round frees something that was a dead container's.
    if (record || !TRY(makeRoom(request, host, record.error()))) return TRY(std::move(record));
  }
}

/// What a foreign plugin gave goes back where nothing comes of it. Not where the claim lost against another one of the
/// same attachment: its DEL would free the other's.
cni::Result<Record> claim(const cni::Request& request, Host& host) {
  auto record = claimAddresses(request, host);
  if (!record && request.config.delegated && record.error().code != ErrorCode::AlreadyAttached) {
    const auto freed = freeAddresses(request, host);
    if (!freed) log::warning("rollback: " + freed.error().message);
  }
  return record;
}

/// The previous result must still tell of this attachment; what other plugins put beside it is theirs.
cni::Result<> compare(const cni::AddResult& previous, const Attachment& attachment) {
  const auto named = std::ranges::find_if(previous.interfaces, [&](const cni::Interface& interface) {
    return interface.name == attachment.key.ifName.toString() && !interface.sandbox.empty();
  });
  // Results before 0.3.0 name no interfaces.
  if (!previous.interfaces.empty() && named == previous.interfaces.end()) {
    return cni::fail(ErrorCode::CheckFailed, "prevResult names no interface " + attachment.key.ifName.toString());
  }
  for (const Lease& lease : attachment.leases) {
    if (std::ranges::find(previous.addresses, lease.address, &cni::Address::address) == previous.addresses.end()) {
      return cni::fail(ErrorCode::CheckFailed, "prevResult lacks address " + lease.address.toString() +
                                                   ", which the ledger has leased to this container");
    }
  }
  return {};
}

cni::Result<> enterForCheck(const cni::Request& request, const Attachment& attachment, Host& host) {
  auto container = Container::open(request.netnsPath);
  if (container.failedWith(ENOENT)) {
    return cni::fail(ErrorCode::CheckFailed, "the container's namespace is gone: " + container.error().message);
  }
  host.container = TRY(std::move(container));
  if (idOf(*host.container) != attachment.netns) {
    return cni::fail(ErrorCode::CheckFailed, request.netnsPath + " names another namespace than at the ADD");
  }
  return {};
}

/// Steps of this verb reach foreign IPAM plugins through it.
Delegate& callDelegatesFor(const cni::Request& request, Host& host) {
  auto delegate = std::make_unique<Delegate>(request);
  Delegate& called = *delegate;
  host.ipam = std::move(delegate);
  return called;
}

/// Without a record: perhaps attached by the reference plugins.
Departed departedOf(const cni::Request& request) {
  Departed departed{request.key, request.netnsPath};
  if (request.key.plugin == ChainedPlugin::None) departed.bridge = request.config.bridge;
  if (!request.previous) return departed;
  for (const cni::Address& held : request.previous->addresses) departed.addresses.push_back(held.address.address());
  return departed;
}

/// What a line about this ADD has to say, whether it fails from here on or not.
void tellLog(const Attachment& attachment) {
  std::string addresses;
  for (const Lease& lease : attachment.leases) addresses += (addresses.empty() ? "" : ",") + lease.address.toString();
  std::string ports;
  for (const PortForward& forward : attachment.forwards) {
    ports += (ports.empty() ? "" : ",") + std::string{nameOf(forward.protocol)} + "/" +
             std::to_string(forward.hostPort) + ">" + std::to_string(forward.targetPort);
  }
  if (attachment.key.plugin == ChainedPlugin::None) log::tell("link", attachment.hostVeth.toString());
  log::tell("addresses", std::move(addresses));
  log::tell("ports", std::move(ports));
}

}  // namespace

cni::Result<std::string> add(const cni::Request& asked, Host& host) {
  Delegate& delegate = callDelegatesFor(asked, host);
  TRY(undoInterrupted(asked, host));
  const bool isChained = asked.key.plugin != ChainedPlugin::None;
  if (isChained && !hasWork(asked)) return cni::printResult(*asked.previous, asked.version);
  host.container = TRY(openContainer(asked.netnsPath));
  const cni::Request request = TRY(delegate.add(asked));
  trace::lap("look at container and record");

  // Written down before the kernel is touched: DEL and GC can clean up even after a kill on the next line.
  Record record = TRY(claim(request, host));
  tellLog(record.attachment);
  const Plan plan = planFor(record.attachment);
  trace::lap("claim addresses and ports");

  Transaction transaction{host, record, plan};
  for (const auto& step : plan) TRY(transaction.apply(*step));

  // A path of /proc names another namespace once the process ended and its id was given away.
  TRY(host.container->netns.verifyStillAt(request.netnsPath));
  const cni::AddResult done = isChained ? describeChained(request) : describe(request, record.attachment, host);
  std::string result = TRY(cni::printResult(done, request.version));
  TRY(host.ledger.commit(record));
  transaction.keep();
  trace::lap("commit the record");
  return result;
}

cni::Result<> del(const cni::Request& request, Host& host) {
  const Delegate& delegate = callDelegatesFor(request, host);
  auto record = TRY(host.ledger.find(request.key));
  if (record) {
    fillIn(*record, request.config);
    const auto gone = teardown(host, *record, planFor(record->attachment));
    if (!gone) return netlib::fail(delegate.explained(gone.error()));
  } else {
    TRY(host.ledger.tidy(request.key.network));
    netlib::ErrorList failures;
    failures.add("what the reference plugins left", removeReferenceLeftovers(host, departedOf(request)));
    failures.add("free addresses", freeAddresses(request, host));
    if (!failures.none()) return netlib::fail(delegate.explained(failures.result().error()));
  }
  return {};
}

cni::Result<> check(const cni::Request& request, Host& host) {
  if (request.key.plugin != ChainedPlugin::None && !hasWork(request)) return {};
  const Delegate& delegate = callDelegatesFor(request, host);
  const auto record = TRY(host.ledger.find(request.key));
  if (!record || record->state != RecordState::Committed) {
    return cni::fail(ErrorCode::CheckFailed, request.key.toString() + " is not attached");
  }
  if (!request.previous) return cni::fail(ErrorCode::InvalidConfig, "CHECK needs prevResult");
  TRY(compare(*request.previous, record->attachment));
  TRY(enterForCheck(request, record->attachment, host));
  for (const auto& step : planFor(record->attachment)) {
    const auto verified = step->verify(host);
    if (verified.failedWith(kBroken)) {
      return cni::fail(ErrorCode::CheckFailed, verified.error().message + ": run \"pons repair\"");
    }
    if (!verified) return netlib::fail(delegate.explained(verified.error()));
  }
  return {};
}

}  // namespace pons

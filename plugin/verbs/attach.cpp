#include "plugin/verbs/attach.h"

#include "netlib/base/error_list.h"

#include "plugin/engine/transaction.h"
#include "plugin/migration/reference_orphans.h"
#include "plugin/telemetry/log.h"
#include "plugin/telemetry/trace.h"
#include "plugin/verbs/attachment_builder.h"
#include "plugin/verbs/attachment_claim.h"
#include "plugin/verbs/chained_builder.h"
#include "plugin/verbs/delegate.h"
#include "plugin/verbs/host_listeners.h"
#include "plugin/verbs/undo.h"

namespace pons {

using cni::ErrorCode;

namespace {

cni::Result<Container> openContainer(const std::string& path) {
  auto container = Container::open(path);
  // Nothing has been changed yet, so the runtime need not call DEL.
  if (container.failedWith(ENOENT)) return cni::fail(ErrorCode::UnknownContainer, container.error().message);
  return TRY(std::move(container));
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
  if (request.key.plugin == ChainedPlugin::None) unrecorded.bridge = request.config.bridge.name;
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
  for (const std::string& note : omissionsIn(record.attachment, request.config)) log::info("omitted", note);
  const Plan plan = planFor(record.attachment);
  trace::timing("claim addresses and ports");

  Transaction transaction{host, record, plan};
  for (const auto& step : plan) TRY(transaction.apply(*step));

  TRY(transaction.before("commit"));
  // A path in /proc/PID refers to another namespace if the process has ended and its PID has been reused.
  TRY(host.container->netns.verifyStillAt(request.netnsPath));
  const cni::AddResult added = isChained ? describeChained(request) : describe(request, record.attachment, host);
  std::string result = TRY(cni::printResult(added, request.version));
  TRY(host.ledger.commit(record));
  transaction.keep();
  trace::timing("commit the record");
  warnOfHostListeners(record.attachment);
  return result;
}

cni::Result<> del(const cni::Request& request, Host& host) {
  installDelegate(request, host);
  auto record = TRY(host.ledger.find(request.key));
  if (record) {
    TRY(undoRecorded(host, *record, request.config));
  } else {
    if (host.ledger.exists()) TRY(host.ledger.tidy(request.key.network));
    netlib::ErrorList failures;
    failures.add("state of the reference plugins", removeReferenceOrphans(host, unrecordedOf(request)));
    failures.add("free addresses", freeAddresses(request, host));
    TRY(failures.result());
  }
  return {};
}

}  // namespace pons

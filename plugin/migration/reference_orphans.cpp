#include "plugin/migration/reference_orphans.h"

#include <filesystem>

#include "netlib/base/error_list.h"

#include "plugin/context/link_owner.h"
#include "plugin/migration/reference_rules.h"

namespace pons {

namespace {

namespace link = netlib::link;

constexpr const char* kTuningBackups = "/run/cni/tuning";

/// The veth of another attachment of pons, which its own DEL removes, or of another ledger.
bool isOfOther(const Host& host, const link::Link& end, const AttachmentKey& key) {
  return isOfPons(end) && (end.name != hostVethName(key).toString() || otherLedgerOf(host, end));
}

/// The index of the host end of the container's veth; nothing if it does not exist or is not a port of the bridge.
netlib::Result<std::optional<unsigned>> hostEndOf(Host& host, const UnrecordedAttachment& unrecorded) {
  if (unrecorded.netnsPath.empty() || !unrecorded.bridge) return std::optional<unsigned>{};
  auto container = Container::open(unrecorded.netnsPath);
  if (!container) return std::optional<unsigned>{};  // the namespace does not exist any more
  const auto inside = link::find(container->route, unrecorded.key.ifName);
  const auto bridge = link::find(host.route, *unrecorded.bridge);
  if (!inside || !bridge) return std::optional<unsigned>{};
  const auto end = link::findPeer(host.route, container->netns.fd(), *inside);
  if (end.failedWith(netlib::Cause::Missing)) return std::optional<unsigned>{};
  if (!end) return netlib::fail(end.error());
  if (end->master != bridge->index || isOfOther(host, *end, unrecorded.key)) return std::optional<unsigned>{};
  return std::optional{end->index};
}

netlib::Result<> removeLink(Host& host, unsigned index) {
  return netlib::ignoring(ENODEV, link::remove(host.route, index));
}

netlib::Result<> removeBandwidth(Host& host, const AttachmentKey& key) {
  const auto found = link::find(host.route, ReferenceNames{key}.bandwidth);
  if (found.failedWith(ENODEV)) return {};
  if (!found) return netlib::fail(found.error());
  return found->kind == "ifb" ? removeLink(host, found->index) : netlib::Result<>{};
}

netlib::Result<> removeTuningBackup(const AttachmentKey& key) {
  const std::filesystem::path backup =
      std::filesystem::path{kTuningBackups} / (key.container.toString() + "_" + key.ifName.toString() + ".json");
  std::error_code error;
  std::filesystem::remove(backup, error);
  return error ? netlib::fail(netlib::Error::fromErrno("remove " + backup.string(), error.value()))
               : netlib::Result<>{};
}

}  // namespace

netlib::Result<> removeReferenceOrphans(Host& host, const UnrecordedAttachment& unrecorded) {
  netlib::ErrorList failures;
  const auto end = hostEndOf(host, unrecorded);
  if (!end) failures.add("find the container's interface", netlib::fail(end.error()));

  // Not by the addresses in the container: its root can assign itself those of other containers.
  failures.add("rules of the reference plugins", removeReferenceRules(host, unrecorded.key, unrecorded.addresses));
  if (end && *end) failures.add("remove the container's interface", removeLink(host, **end));
  failures.add("remove the ifb link", removeBandwidth(host, unrecorded.key));
  failures.add("remove the tuning backup", removeTuningBackup(unrecorded.key));
  return failures.result();
}

}  // namespace pons

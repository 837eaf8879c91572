#include "plugin/migration/reference_leftovers.h"

#include <filesystem>

#include "netlib/base/error_list.h"

#include "plugin/context/link_owner.h"
#include "plugin/migration/reference_rules.h"

namespace pons {

namespace {

namespace link = netlib::link;

constexpr const char* kTuningBackups = "/run/cni/tuning";

/// Another attachment's of pons: its DEL takes it away.
bool isOfOther(const link::Link& end, const AttachmentKey& key) {
  return isOfPons(end) && end.name != hostVethName(key).toString();
}

/// The index of the host's end of the container's veth; nothing where that is gone, or not a port of the bridge.
netlib::Result<std::optional<unsigned>> hostEndOf(Host& host, const Departed& departed) {
  if (departed.netnsPath.empty() || !departed.bridge) return std::optional<unsigned>{};
  auto container = Container::open(departed.netnsPath);
  if (!container) return std::optional<unsigned>{};  // gone, or no namespace of a container: nothing of his is in it
  const auto inside = link::find(container->route, departed.key.ifName);
  const auto bridge = link::find(host.route, *departed.bridge);
  if (!inside || !bridge) return std::optional<unsigned>{};
  const auto end = link::findOtherEnd(host.route, container->netns.fd(), *inside);
  if (end.failedWith(ENODEV)) return std::optional<unsigned>{};
  if (!end) return netlib::fail(end.error());
  if (end->master != bridge->index || isOfOther(*end, departed.key)) return std::optional<unsigned>{};
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
  return error ? netlib::fail(error.value(), "remove " + backup.string() + ": " + error.message()) : netlib::Result<>{};
}

}  // namespace

netlib::Result<> removeReferenceLeftovers(Host& host, const Departed& departed) {
  netlib::ErrorList failures;
  const auto end = hostEndOf(host, departed);
  if (!end) failures.add("look at the container's interface", netlib::fail(end.error()));

  // Not by the addresses that are inside: its root can give itself those of its neighbours.
  failures.add("rules of the reference plugins", removeReferenceRules(host, departed.key, departed.addresses));
  if (end && *end) failures.add("remove the container's interface", removeLink(host, **end));
  failures.add("remove the ifb link", removeBandwidth(host, departed.key));
  failures.add("remove the tuning backup", removeTuningBackup(departed.key));
  return failures.result();
}

}  // namespace pons

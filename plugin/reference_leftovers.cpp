#include "plugin/reference_leftovers.h"

#include <filesystem>

#include "netlib/address.h"

#include "plugin/failures.h"
#include "plugin/reference_rules.h"
#include "plugin/steps/link_owner.h"

namespace pons {

namespace {

namespace link = netlib::link;
using netlib::Family;
using netlib::IpAddress;

constexpr const char* kTuningBackups = "/run/cni/tuning";

/// The ends of the container's veth.
struct Ends {
  std::vector<IpAddress> addresses;  ///< of the end in the container
  unsigned hostIndex;
};

/// Another attachment's of pons: its DEL takes it away.
bool isOfOther(const link::Link& end, const AttachmentKey& key) {
  return isOfPons(end) && end.name != hostVethName(key).toString();
}

netlib::Result<std::optional<Ends>> endsOf(Host& host, const Departed& departed) {
  if (departed.netnsPath.empty() || !departed.bridge) return std::optional<Ends>{};
  auto container = Container::open(departed.netnsPath);
  if (!container) return std::optional<Ends>{};  // gone, or no namespace of a container: nothing of his is in it
  const auto inside = link::find(container->route, departed.key.ifName);
  const auto bridge = link::find(host.route, *departed.bridge);
  if (!inside || !bridge) return std::optional<Ends>{};
  const auto end = link::findOtherEnd(host.route, container->netns.fd(), *inside);
  if (end.failedWith(ENODEV)) return std::optional<Ends>{};
  if (!end) return netlib::fail(end.error());
  if (end->master != bridge->index || isOfOther(*end, departed.key)) return std::optional<Ends>{};

  Ends ends{{}, end->index};
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const auto& address : TRY(netlib::address::list(container->route, family, inside->index))) {
      ends.addresses.push_back(address.prefix.address());
    }
  }
  return std::optional{std::move(ends)};
}

netlib::Result<> removeLink(Host& host, unsigned index) {
  const auto removed = link::remove(host.route, index);
  return removed.failedWith(ENODEV) ? netlib::Result<>{} : removed;
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
  Failures failures;
  const auto ends = endsOf(host, departed);
  if (!ends) failures.add("look at the container's interface", netlib::fail(ends.error()));

  std::vector<IpAddress> addresses = departed.addresses;
  const bool live = ends && ends->has_value();
  if (live) addresses.insert(addresses.end(), (*ends)->addresses.begin(), (*ends)->addresses.end());
  failures.add("rules of the reference plugins", removeReferenceRules(host, departed.key, addresses));
  if (live) failures.add("remove the container's interface", removeLink(host, (*ends)->hostIndex));
  failures.add("remove the ifb link", removeBandwidth(host, departed.key));
  failures.add("remove the tuning backup", removeTuningBackup(departed.key));
  return failures.result();
}

}  // namespace pons

#include "plugin/cni/ipam_config.h"

#include <algorithm>
#include <array>

#include "plugin/cni/route.h"

namespace pons::cni {

namespace {

/// InvalidConfig with the key in front: the ledger's reasons do not know where a value came from.
Failure blame(const Field& field, const netlib::Error& reason) {
  return fail(ErrorCode::InvalidConfig, "\"" + field.path() + "\": " + reason.message);
}

Result<Range> decodeRange(const Field& field) {
  const Field range = TRY(field.object());
  const auto subnet = TRY(range["subnet"].prefix());
  if (!subnet) return range["subnet"].missing();
  auto made = Range::make(*subnet, TRY(range["rangeStart"].address()), TRY(range["rangeEnd"].address()),
                          TRY(range["gateway"].address()));
  if (!made) return blame(field, made.error());
  return *made;
}

/// A list of lists as the convention has it. An element that is no list is a set of its own: go-cni sends a flat list.
Result<> appendSets(std::vector<RangeSet>& sets, const Field& list) {
  for (const Field& item : TRY(list.items())) {
    RangeSet set;
    if (item.isArray()) {
      for (const Field& range : TRY(item.items())) set.push_back(TRY(decodeRange(range)));
    } else {
      set.push_back(TRY(decodeRange(item)));
    }
    sets.push_back(std::move(set));
  }
  return {};
}

/// The older form: one range, directly in "ipam".
Result<> appendPlainRange(std::vector<RangeSet>& sets, const Field& ipam) {
  const std::array parts{ipam["subnet"], ipam["rangeStart"], ipam["rangeEnd"], ipam["gateway"]};
  for (const Field& part : parts) {
    if (TRY(part.text())) {
      sets.push_back({TRY(decodeRange(ipam))});
      return {};
    }
  }
  return {};
}

Result<std::vector<netlib::IpPrefix>> decodeExcluded(const Field& list) {
  std::vector<netlib::IpPrefix> excluded;
  for (const Field& item : TRY(list.items())) {
    if (const auto network = TRY(item.network())) excluded.push_back(*network);
  }
  return excluded;
}

/// A result of these versions holds at most one address of each family, and at least one.
Result<> checkOldVersion(const IpamConfig& ipam, Version version) {
  const std::string prefix = "cniVersion " + std::string{textOf(version)} + " ";
  if (ipam.sets.empty()) return fail(ErrorCode::InvalidConfig, prefix + "needs \"ipam\" with addresses");
  for (const netlib::Family family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
    const auto ofFamily = [family](const RangeSet& set) { return set.front().subnet.family() == family; };
    if (std::ranges::count_if(ipam.sets, ofFamily) > 1) {
      return fail(ErrorCode::InvalidConfig,
                  prefix + "allows one " + std::string{nameOf(family)} + " address: use 0.3.0 or newer");
    }
  }
  return {};
}

}  // namespace

bool IpamConfig::hasFamily(netlib::Family family) const {
  return std::ranges::any_of(sets, [family](const RangeSet& set) { return set.front().subnet.family() == family; });
}

Result<IpamConfig> decodeIpam(const Field& config, Version version) {
  const Field ipam = TRY(config["ipam"].object());
  const std::string type = TRY(ipam["type"].text()).value_or("pons");
  if (type != "pons")
    return ipam["type"].unsupported("ipam type " + type + " is not supported yet; \"pons\" is built in");

  IpamConfig decoded;
  TRY(appendSets(decoded.sets, config["runtimeConfig"]["ipRanges"]));
  TRY(appendPlainRange(decoded.sets, ipam));
  TRY(appendSets(decoded.sets, ipam["ranges"]));
  if (const auto checked = checkRangeSets(decoded.sets); !checked) return blame(ipam, checked.error());
  decoded.excluded = TRY(decodeExcluded(ipam["exclude"]));
  decoded.routes = TRY(decodeRoutes(ipam["routes"]));
  if (version < Version::V0_3_0) TRY(checkOldVersion(decoded, version));
  return decoded;
}

}  // namespace pons::cni

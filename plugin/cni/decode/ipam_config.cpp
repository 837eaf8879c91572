#include "plugin/cni/decode/ipam_config.h"

#include <algorithm>
#include <array>

#include "netlib/base/text.h"

#include "plugin/cni/decode/requested.h"
#include "plugin/cni/decode/settings.h"
#include "plugin/cni/decode/static_ipam.h"
#include "plugin/cni/route.h"

namespace pons::cni {

namespace {

/// InvalidConfig with the key in front of the reason, which does not contain it.
Failure invalidKey(const Field& field, const netlib::Error& reason) {
  return withKey(field.path(), fail(ErrorCode::InvalidConfig, "\"" + field.path() + "\": " + reason.message));
}

Result<Range> decodeRange(const Field& field) {
  const Field range = TRY(field.object());
  const auto subnet = TRY(range["subnet"].prefix());
  if (!subnet) return range["subnet"].missing();
  auto made = Range::make(*subnet, TRY(range["rangeStart"].address()), TRY(range["rangeEnd"].address()),
                          TRY(range["gateway"].address()));
  if (!made) return invalidKey(field, made.error());
  return *made;
}

/// An array of arrays (CONVENTIONS.md of CNI). An element that is not an array is a set of its own: go-cni sends a flat
/// array.
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

/// The older format: one range, directly in "ipam".
Result<> appendPlainRange(std::vector<RangeSet>& sets, const Field& ipam) {
  const std::array parts{ipam["subnet"], ipam["rangeStart"], ipam["rangeEnd"], ipam["gateway"]};
  for (const Field& part : parts) {
    if (TRY(part.text())) {
      sets.emplace_back().push_back(TRY(decodeRange(ipam)));
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

std::ptrdiff_t countOf(const AddressRequest& addresses, netlib::Family family) {
  return std::ranges::count(addresses.sets, family, [](const RangeSet& set) { return set.front().subnet.family(); }) +
         std::ranges::count(addresses.fixed, family, [](const Lease& lease) { return lease.address.family(); });
}

/// Results of these versions contain at least one address, and at most one of each family.
Result<> checkOldVersion(const IpamConfig& ipam, Version version) {
  const std::string prefix = "cniVersion " + std::string{textOf(version)} + " ";
  if (!ipam.givesAddresses()) return fail(ErrorCode::InvalidConfig, prefix + "requires \"ipam\" with addresses");
  for (const netlib::Family family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
    if (countOf(ipam.addresses, family) > 1) {
      return fail(ErrorCode::InvalidConfig,
                  prefix + "allows one " + std::string{nameOf(family)} + " address: use 0.3.0 or newer");
    }
  }
  return {};
}

/// A plain file name: it is searched in the directories of CNI_PATH.
std::optional<std::string> parseType(std::string_view text) {
  const bool isName = text != "." && text != ".." && text.find_first_of("/\\") == std::string_view::npos;
  return isName && netlib::isOneWord(text) ? std::optional{std::string{text}} : std::nullopt;
}

Result<std::string> decodeType(const Field& ipam) {
  constexpr std::string_view kExpected = "the name of an IPAM plugin, without a path";
  return TRY(ipam["type"].parsed(parseType, kExpected)).value_or("pons");
}

Result<> decodeRanges(AddressRequest& addresses, const Field& config, const CniArgs& args) {
  const Field ipam = config["ipam"];
  TRY(appendSets(addresses.sets, config["runtimeConfig"]["ipRanges"]));
  TRY(appendPlainRange(addresses.sets, ipam));
  TRY(appendSets(addresses.sets, ipam["ranges"]));
  if (const auto checked = checkRangeSets(addresses.sets); !checked) return invalidKey(ipam, checked.error());
  addresses.excluded = TRY(decodeExcluded(ipam["exclude"]));
  addresses.requested = TRY(decodeRequestedAddresses(config, args));
  return {};
}

}  // namespace

bool IpamConfig::hasFamily(netlib::Family family) const { return countOf(addresses, family) > 0; }

Result<ExternalIpam> decodeExternalIpam(const Field& config) {
  const Field ipam = TRY(config["ipam"].object());
  const std::string type = TRY(decodeType(ipam));
  if (type == "pons" || type == "static") return ExternalIpam{};
  if (type != "host-local") return ExternalIpam{.hostLocalDir = {}, .delegatedType = type};
  const auto dataDir = TRY(ipam["dataDir"].parsed(parsePath, kExpectedPath));
  return ExternalIpam{.hostLocalDir = dataDir.value_or(kHostLocalDir), .delegatedType = {}};
}

Result<IpamConfig> decodeIpam(const Field& config, Version version, const CniArgs& args) {
  ExternalIpam external = TRY(decodeExternalIpam(config));
  const Field ipam = config["ipam"];
  IpamConfig decoded;
  decoded.addresses.hostLocalDir = std::move(external.hostLocalDir);
  decoded.delegatedType = std::move(external.delegatedType);
  if (decoded.delegatedType) return decoded;  // the delegated plugin reads the rest of "ipam"

  if (ipam["type"].is("static")) {
    decoded.addresses.fixed = TRY(decodeStaticLeases(config, args));
  } else {
    TRY(decodeRanges(decoded.addresses, config, args));
  }
  if (ipam["type"].is("static") && !decoded.givesAddresses()) return ipam["addresses"].missing();
  if (ipam["type"].is("host-local") && !decoded.givesAddresses()) return ipam["ranges"].missing();
  decoded.routes = TRY(decodeRoutes(ipam["routes"]));
  if (version < Version::V0_3_0) TRY(checkOldVersion(decoded, version));
  return decoded;
}

}  // namespace pons::cni

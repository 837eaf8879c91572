#include "plugin/cni/decode/static_ipam.h"

#include "netlib/base/text.h"

#include "plugin/cni/decode/requested.h"

namespace pons::cni {

namespace {

constexpr std::string_view kExpected = "a unicast address other than loopback, in CIDR notation such as 10.42.0.7/24";

std::optional<netlib::IpPrefix> parseCidr(std::string_view text) {
  const auto prefix = netlib::IpPrefix::parse(text);
  return prefix && isUsable(prefix->address()) ? prefix : std::nullopt;
}

Failure invalidArg(std::string_view key, std::string_view value, std::string_view expected) {
  return fail(ErrorCode::InvalidConfig, "invalid " + std::string{key} + "=" + std::string{value} +
                                            " in CNI_ARGS, expected " + std::string{expected});
}

/// Split at commas and spaces.
std::vector<std::string_view> listed(std::string_view text) {
  std::vector<std::string_view> items;
  for (const std::string_view part : netlib::split(text, ',')) {
    for (const std::string_view word : netlib::words(part)) items.push_back(word);
  }
  return items;
}

Result<Lease> decodeAddress(const Field& item) {
  const Field entry = TRY(item.object());
  const auto address = TRY(entry["address"].parsed(parseCidr, kExpected));
  if (!address) return entry["address"].missing();
  const auto gateway = TRY(entry["gateway"].address());
  if (gateway && gateway->family() != address->family()) {
    return entry["gateway"].invalid("an address of the same family as " + address->toString());
  }
  return Lease{*address, gateway};
}

/// An array of strings in CIDR notation.
Result<std::vector<Lease>> decodeList(const Field& ips) {
  std::vector<Lease> leases;
  for (const Field& item : TRY(ips.items())) {
    if (const auto address = TRY(item.parsed(parseCidr, kExpected))) leases.push_back({*address, std::nullopt});
  }
  return leases;
}

Result<> appendArgs(std::vector<Lease>& leases, const CniArgs& args) {
  for (const std::string_view text : listed(args.ip)) {
    const auto address = parseCidr(text);
    if (!address) return invalidArg("IP", text, kExpected);
    leases.push_back({*address, std::nullopt});
  }
  for (const std::string_view text : listed(args.gateway)) {
    const auto gateway = netlib::IpAddress::parse(text);
    if (!gateway) return invalidArg("GATEWAY", text, "an IPv4 or IPv6 address");
    for (Lease& lease : leases) {
      if (lease.address.contains(*gateway)) lease.gateway = gateway;
    }
  }
  return {};
}

Result<std::vector<Lease>> choose(const Field& config, const CniArgs& args) {
  for (const Field& replacing : {config["runtimeConfig"]["ips"], config["args"]["cni"]["ips"]}) {
    std::vector<Lease> leases = TRY(decodeList(replacing));
    if (!leases.empty()) return leases;
  }
  std::vector<Lease> leases;
  for (const Field& item : TRY(config["ipam"]["addresses"].items())) leases.push_back(TRY(decodeAddress(item)));
  TRY(appendArgs(leases, args));
  return leases;
}

}  // namespace

Result<std::vector<Lease>> decodeStaticLeases(const Field& config, const CniArgs& args) {
  std::vector<Lease> leases = TRY(choose(config, args));
  for (auto lease = leases.begin(); lease != leases.end(); ++lease) {
    for (auto other = leases.begin(); other != lease; ++other) {
      if (other->address.address() != lease->address.address()) continue;
      return fail(ErrorCode::InvalidConfig,
                  "ipam type static has address " + lease->address.address().toString() + " twice");
    }
  }
  return leases;
}

}  // namespace pons::cni

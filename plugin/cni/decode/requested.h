// What the runtime says about one container: addresses and MAC that it requests, and its pod.
#pragma once

#include <optional>
#include <vector>

#include "netlib/values/mac_address.h"

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"

namespace pons::cni {

/// From runtimeConfig.ips, args.cni.ips and IP in CNI_ARGS together, without duplicates. Prefix lengths are ignored:
/// the subnet has one. InvalidConfig if not isUsable().
Result<std::vector<netlib::IpAddress>> decodeRequestedAddresses(const Field& config, const CniArgs& args);

/// The first of runtimeConfig.mac, args.cni.mac and MAC in CNI_ARGS.
Result<std::optional<netlib::MacAddress>> decodeRequestedMac(const Field& config, const CniArgs& args);

/// "namespace/name" of CNI_ARGS; empty if a part is missing. An invalid one is left out, and `ignored` has the error:
/// a name is for messages alone and fails no request.
std::string decodePod(const Environment& environment, std::vector<Error>& ignored);

/// True if an interface can have the address: unicast, neither unspecified nor loopback.
bool isUsable(const netlib::IpAddress& address);

}  // namespace pons::cni

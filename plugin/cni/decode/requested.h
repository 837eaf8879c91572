// What a runtime asks for this one container: its addresses and its MAC.
#pragma once

#include <optional>
#include <vector>

#include "netlib/values/mac_address.h"

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"

namespace pons::cni {

/// Each of which one interface can bear, without repetition: from runtimeConfig.ips, args.cni.ips and IP in CNI_ARGS
/// together. A prefix length with them is ignored, for the subnet has one.
Result<std::vector<netlib::IpAddress>> decodeRequestedAddresses(const Field& config, const CniArgs& args);

/// From the first of runtimeConfig.mac, args.cni.mac and MAC in CNI_ARGS that gives one.
Result<std::optional<netlib::MacAddress>> decodeRequestedMac(const Field& config, const CniArgs& args);

/// True where one interface can bear the address.
bool isUsable(const netlib::IpAddress& address);

}  // namespace pons::cni

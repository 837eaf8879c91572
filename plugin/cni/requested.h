// What a runtime asks for this one container: its addresses and its MAC.
#pragma once

#include <optional>
#include <vector>

#include "netlib/mac_address.h"

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"

namespace pons::cni {

struct Requested {
  std::vector<netlib::IpAddress> addresses;  ///< each of which one interface can bear; without repetition
  std::optional<netlib::MacAddress> mac;
};

/// Addresses from runtimeConfig.ips, args.cni.ips and IP in CNI_ARGS together; a prefix length with them is ignored,
/// for the subnet has one. The MAC from the first of runtimeConfig.mac, args.cni.mac and MAC in CNI_ARGS that gives
/// one.
Result<Requested> decodeRequested(const Field& config, const CniArgs& args);

}  // namespace pons::cni

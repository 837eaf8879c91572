// The address part of a configuration: which addresses there are to choose from, or who else gives them.
#pragma once

#include <vector>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/cni/version.h"
#include "plugin/model/address_request.h"

namespace pons::cni {

/// Who, besides the ledger, has to hear of the addresses of a network.
struct IpamPartner {
  std::optional<std::string> hostLocalDir;  ///< "dataDir" of type host-local
  std::optional<std::string> foreignType;   ///< a program in CNI_PATH that gives them; never with a '/'
};

struct IpamConfig {
  AddressRequest addresses;  ///< empty where there are none (a plain L2 port), and where a foreign plugin gives them
  std::vector<Route> routes;
  std::optional<std::string> foreignType;

  bool givesAddresses() const { return foreignType || !addresses.sets.empty() || !addresses.fixed.empty(); }
  /// Known from the configuration; what a foreign plugin gives is not.
  bool hasFamily(netlib::Family family) const;
};

/// All that DEL needs of "ipam".
Result<IpamPartner> decodePartner(const Field& config);

/// By ipam.type: "pons" (the default) and "host-local" choose from ranges, runtimeConfig.ipRanges first, then
/// ipam.subnet, then ipam.ranges; "static" names the addresses; any other is a program.
Result<IpamConfig> decodeIpam(const Field& config, Version version, const CniArgs& args);

}  // namespace pons::cni

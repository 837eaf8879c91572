// "ipam": the ranges or addresses of a network, or the IPAM plugin that allocates them.
#pragma once

#include <vector>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/cni/version.h"
#include "plugin/model/address_request.h"

namespace pons::cni {

/// Where, besides the ledger, a network's addresses are recorded.
struct ExternalIpam {
  std::optional<std::string> hostLocalDir;   ///< "dataDir" of type host-local
  std::optional<std::string> delegatedType;  ///< IPAM plugin in CNI_PATH; contains no '/'
};

struct IpamConfig {
  AddressRequest addresses;  ///< empty without addresses (L2 only) and with a delegated plugin
  std::vector<Route> routes;
  std::optional<std::string> delegatedType;

  bool givesAddresses() const { return delegatedType || !addresses.sets.empty() || !addresses.fixed.empty(); }
  /// From the configuration; false with a delegated plugin, whose addresses are known only after its ADD.
  bool hasFamily(netlib::Family family) const;
};

/// The part of "ipam" that DEL needs.
Result<ExternalIpam> decodeExternalIpam(const Field& config);

/// By ipam.type: "pons" (default) and "host-local" allocate from runtimeConfig.ipRanges, then ipam.subnet, then
/// ipam.ranges; "static" lists the addresses; any other value is a delegated IPAM plugin.
Result<IpamConfig> decodeIpam(const Field& config, Version version, const CniArgs& args);

}  // namespace pons::cni

// The address part of a configuration: which addresses there are to choose from.
#pragma once

#include <vector>

#include "plugin/cni/field.h"
#include "plugin/cni/version.h"
#include "plugin/ledger/address_pool.h"

namespace pons::cni {

struct IpamConfig {
  std::vector<RangeSet> sets;  ///< one address from each; empty: the container gets no address (a plain L2 port)
  std::vector<netlib::IpPrefix> excluded;
  std::vector<Route> routes;

  bool hasFamily(netlib::Family family) const;
};

/// runtimeConfig.ipRanges first, then ipam.subnet, then ipam.ranges.
Result<IpamConfig> decodeIpam(const Field& config, Version version);

}  // namespace pons::cni

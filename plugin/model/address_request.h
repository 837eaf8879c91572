// The addresses that ADD requests from the ledger.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/model/address_range.h"
#include "plugin/model/attachment.h"

namespace pons {

/// The default for "dataDir" in the reference plugin host-local.
inline constexpr const char* kHostLocalDir = "/var/lib/cni/networks";

struct AddressRequest {
  std::vector<RangeSet> sets;              ///< one address is leased from each
  std::vector<netlib::IpPrefix> excluded;  ///< never leased
  /// At most one per set, in one of its subnets, also outside of its ranges; the claim fails if it cannot be leased.
  std::vector<netlib::IpAddress> requested;
  /// Chosen by another IPAM plugin or the configuration; leased in addition to those of `sets`, or the claim fails.
  std::vector<Lease> fixed = {};
  /// host-local's "dataDir": its leases of the sets are respected, and the new ones are written there as well.
  std::optional<std::string> hostLocalDir = std::nullopt;
};

}  // namespace pons

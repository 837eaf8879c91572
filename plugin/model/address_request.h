// The addresses that an ADD requests from the ledger.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/model/address_range.h"
#include "plugin/model/attachment.h"

namespace pons {

/// The reference's default for "dataDir".
inline constexpr const char* kHostLocalDir = "/var/lib/cni/networks";

/// What ADD asks of the ledger.
struct AddressRequest {
  std::vector<RangeSet> sets;                ///< one address from each
  std::vector<netlib::IpPrefix> excluded;    ///< never leased
  std::vector<netlib::IpAddress> requested;  ///< at most one for each set; leased exactly, or the claim fails
  /// Chosen by somebody else; leased exactly, beside what the sets give, or the claim fails.
  std::vector<Lease> fixed = {};
  /// Where host-local keeps what it leased of the sets ("dataDir"), to which the choice is added.
  std::optional<std::string> hostLocalDir = std::nullopt;
};

}  // namespace pons

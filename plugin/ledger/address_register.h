// Where it is written down who has which addresses of a network. The choice of an address asks all that there are.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/values/ip_address.h"

namespace pons {

class AddressRegister {
 public:
  virtual ~AddressRegister() = default;

  /// Whether there is an entry, be its owner still there or not.
  virtual netlib::Result<bool> has(const netlib::IpAddress& address) const = 0;
  /// All that have an entry.
  virtual netlib::Result<std::vector<netlib::IpAddress>> all() const = 0;
  /// Who has the address, for messages; nothing where nobody does.
  virtual netlib::Result<std::optional<std::string>> ownerOf(const netlib::IpAddress& address) const = 0;
  /// Removes the entries that are nobody's; whether there were any. Expensive: for a network that seems to be full.
  virtual netlib::Result<bool> removeStale() const = 0;
};

}  // namespace pons

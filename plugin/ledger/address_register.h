// A register of leased addresses of a network. An address is free if no register has it.
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

  /// Whether there is an entry, even a stale one.
  virtual netlib::Result<bool> has(const netlib::IpAddress& address) const = 0;
  /// All addresses with an entry.
  virtual netlib::Result<std::vector<netlib::IpAddress>> all() const = 0;
  /// The owner of the address, for messages; nothing if it is free or its entry is stale.
  virtual netlib::Result<std::optional<std::string>> ownerOf(const netlib::IpAddress& address) const = 0;
  /// Removes entries without an owner; true if there were any. Reads all entries: for networks without a free address.
  virtual netlib::Result<bool> removeStale() const = 0;
};

}  // namespace pons

// The address claims of one network in the ledger.
#pragma once

#include "netlib/os/directory.h"

#include "plugin/ledger/address_register.h"
#include "plugin/model/names.h"

namespace pons {

class ClaimedAddresses final : public AddressRegister {
 public:
  /// `state` must outlive this object. The caller holds the host lock for removeStale().
  ClaimedAddresses(const netlib::Directory& state, NetworkName network) : state_(state), network_(std::move(network)) {}

  netlib::Result<bool> has(const netlib::IpAddress& address) const override;
  netlib::Result<std::vector<netlib::IpAddress>> all() const override;
  netlib::Result<std::optional<std::string>> ownerOf(const netlib::IpAddress& address) const override;
  netlib::Result<bool> removeStale() const override;

 private:
  std::string claimOf(const netlib::IpAddress& address) const;

  const netlib::Directory& state_;
  NetworkName network_;
};

}  // namespace pons

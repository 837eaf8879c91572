// Leases set aside for an attachment that is being built.
#pragma once

#include "plugin/ledger/address_claims.h"
#include "plugin/ledger/claimed_addresses.h"
#include "plugin/ledger/ledger.h"

namespace pons {

/// Made by Ledger::reserve(). Holds the host lock, and host-local's lock if the request names its directory, until
/// write() or the end of this object: every other ADD and DEL waits meanwhile. Nothing is written before write().
class Reservation {
 public:
  /// In the order of the request: one per set, then the fixed ones.
  const std::vector<Lease>& leases() const { return leases_; }

  /// Replaces leases()[index], because the host itself has that address. InUse if it was requested or fixed; Exhausted
  /// if there is no other.
  netlib::Result<> chooseAnother(std::size_t index);

  /// Writes the record of the attachment, which has leases(), and claims its addresses, its ports and its shared state:
  /// all or nothing. The addresses are also written to host-local's directory if the request names one. Attachments of
  /// one container may share a port. Releases the locks in any case, before it returns.
  /// Errors: Attached; InUse, with its holder: a port, the gateway address with another prefix length, or the
  /// resolv.conf; Invalid, the record exceeds kMaxRecordBytes.
  netlib::Result<Record, Refusal> write(Attachment attachment) &&;

 private:
  friend class Ledger;
  Reservation(Ledger& ledger, NetworkName network, AddressRequest request, std::optional<HostLocal> files,
              HostLock hostLock)
      : ledger_(&ledger),
        network_(std::move(network)),
        request_(std::move(request)),
        files_(std::move(files)),
        hostLock_(std::move(hostLock)) {}

  AddressSources sources() const;

  Ledger* ledger_;
  NetworkName network_;
  AddressRequest request_;
  std::optional<HostLocal> files_;
  HostLock hostLock_;
  std::vector<ClaimedAddresses> claimed_;  // of the networks on the bridge, this one included
  std::vector<Lease> leases_;
  std::vector<netlib::IpAddress> hostAddresses_;
};

}  // namespace pons

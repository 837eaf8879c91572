// Claims and references that an attachment does not have, although its record says so: something other than pons has
// removed them.
#include "netlib/base/error_list.h"

#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"
#include "plugin/ledger/port_claims.h"

namespace pons {

using netlib::Result;

namespace {

std::string reservationOf(const netlib::IpAddress& address) { return "reservation of " + address.toString(); }
std::string reservationOf(const PortForward& forward) { return "reservation of " + port_claims::described(forward); }

}  // namespace

Result<std::vector<MissingClaim>> Ledger::missingClaims(const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  std::vector<MissingClaim> missing;
  for (const Lease& lease : attachment.leases) {
    const netlib::IpAddress& address = lease.address.address();
    auto owner = TRY(addressOwner(attachment, address));
    if (owner != key) missing.push_back({reservationOf(address), std::move(owner)});
  }
  for (const PortForward& forward : attachment.forwards) {
    if (TRY(port_claims::has(state_, forward, key))) continue;
    auto owner = TRY(port_claims::otherOwner(state_, forward, key.container));
    missing.push_back({reservationOf(forward), std::move(owner)});
  }
  for (const std::string& sharedState : sharedStatesOf(attachment)) {
    if (!TRY(state_.exists(referenceClaim(key, sharedState).name)))
      missing.push_back({"reference to " + sharedState, std::nullopt});
  }
  return missing;
}

Result<> Ledger::restoreClaims(const HostLock& hostLock, const Attachment& attachment) {
  netlib::ErrorList refused;
  for (const Lease& lease : attachment.leases) {
    refused.add(reservationOf(lease.address.address()), restoreAddress(attachment, lease.address.address()));
  }
  for (const PortForward& forward : attachment.forwards) {
    refused.add(reservationOf(forward), restorePort(attachment, forward));
  }
  refused.add("references", restoreReferences(hostLock, attachment));
  return refused.result();
}

Result<std::optional<AttachmentKey>> Ledger::addressOwner(const Attachment& attachment,
                                                          const netlib::IpAddress& address) {
  auto owner = TRY(ownerOf(state_, addressClaim(attachment.key, address).name));
  if (owner) return owner;
  for (const NetworkName& network : TRY(networksOn(attachment.bridge.name))) {
    if (auto other = TRY(ownerOf(state_, addressDirectory(network) + "/" + address.toString()))) return other;
  }
  return owner;
}

Result<> Ledger::restoreAddress(const Attachment& attachment, const netlib::IpAddress& address) {
  const auto owner = TRY(addressOwner(attachment, address));
  if (owner == attachment.key) return {};
  if (owner) return netlib::fail(netlib::Cause::InUse, "belongs to " + described(state_, *owner));
  return addClaim(state_, addressClaim(attachment.key, address), attachment.key);
}

Result<> Ledger::restorePort(const Attachment& attachment, const PortForward& forward) {
  const AttachmentKey& key = attachment.key;
  if (TRY(port_claims::has(state_, forward, key))) return {};
  Attachment alone = bareAttachment(key, attachment.bridge.name);
  alone.forwards = {forward};
  const auto sharers = TRY(port_claims::check(state_, alone));
  TRY(addSharedPorts(key, sharers));
  return port_claims::add(state_, forward, key);
}

Result<> Ledger::restoreReferences(const HostLock& hostLock, const Attachment& attachment) {
  TRY(checkGateways(attachment));
  TRY(checkResolvConf(attachment));
  return addMissingReferences(hostLock, attachment);
}

Result<> Ledger::restoreLostAddresses(const NetworkName& network) {
  if (TRY(hasOwnChangesOnly(state_, network))) return {};
  const std::vector<std::string> names = TRY(namesIn(state_, recordDirectory(network)));
  if (names.empty()) return {};
  for (const std::string& name : names) {
    const std::string path = recordDirectory(network) + "/" + name;
    const auto record = keyOfRecord(path) ? TRY(peek(path)) : std::nullopt;  // others were not created by pons
    // An ADD that was interrupted may not have claimed them; see dropUnclaimed().
    if (!record || record->state == RecordState::Claimed) continue;
    for (const Lease& lease : record->attachment.leases) {
      const auto restored = restoreAddress(record->attachment, lease.address.address());
      TRY(netlib::ignoring(netlib::Cause::InUse, restored));  // missingClaims() tells
    }
  }
  TRY(state_.createDirectories(addressDirectory(network)));
  return noteOwnChange(state_, network);
}

}  // namespace pons

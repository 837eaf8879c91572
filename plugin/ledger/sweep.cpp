// Queries and removals of the ledger, for GC and STATUS.
#include "plugin/ledger/address_claims.h"
#include "plugin/ledger/claimed_addresses.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"
#include "plugin/ledger/port_claims.h"

namespace pons {

using netlib::Directory;
using netlib::Result;

namespace {

/// All directories that may contain claims of the network.
Result<std::vector<std::string>> claimDirectories(const Directory& state, const NetworkName& network) {
  std::vector<std::string> directories{addressDirectory(network)};
  for (const std::string& name : TRY(namesIn(state, std::string{kPorts}))) {
    directories.push_back(std::string{kPorts} + "/" + name);
  }
  std::ranges::move(TRY(referenceDirectories(state)), std::back_inserter(directories));
  return directories;
}

/// The claims in one directory whose record, of this network, does not exist.
Result<> appendStale(std::vector<std::string>& stale, const Directory& state, const std::string& directory,
                     const NetworkName& network) {
  for (const std::string& name : TRY(namesIn(state, directory))) {
    const std::string claim = directory + "/" + name;
    const auto pointee = pointeeOf(state, claim);
    if (pointee.failedWith(netlib::Cause::Damaged)) continue;  // not created by pons
    if (!pointee.ok()) return netlib::fail(pointee.error());
    if (!*pointee || (*pointee)->network != network || TRY(state.exists(recordName(**pointee)))) continue;
    stale.push_back(claim);
  }
  return {};
}

}  // namespace

Result<bool> Ledger::hasRecord(const AttachmentKey& key) { return state_.exists(recordName(key)); }

Result<bool> Ledger::isClaimed(const PortForward& forward) { return port_claims::isClaimed(state_, forward); }

Result<std::vector<std::string>> Ledger::staleClaims(const NetworkName& network) {
  std::vector<std::string> stale;
  for (const std::string& directory : TRY(claimDirectories(state_, network))) {
    TRY(appendStale(stale, state_, directory, network));
  }
  return stale;
}

Result<> Ledger::sweepClaims(const HostLock& /*hostLock*/, const NetworkName& network) {
  for (const std::string& claim : TRY(staleClaims(network))) TRY(state_.remove(claim));
  TRY(pons::removeEmptyDirectories(state_));
  return removeEmptyDirectories(network);
}

Result<> Ledger::checkFree(const NetworkName& network, const netlib::IfName& bridge, const AddressRequest& request) {
  std::vector<ClaimedAddresses> claimed{{state_, network}};
  for (NetworkName& other : TRY(networksBeside(network, bridge))) claimed.emplace_back(state_, std::move(other));
  AddressSources sources{.network = network, .registers = {}};
  for (const ClaimedAddresses& entries : claimed) sources.registers.push_back(&entries);
  const auto files = request.hostLocalDir ? TRY(HostLocal::peek(*request.hostLocalDir, network)) : std::nullopt;
  if (files) {
    TRY(files->checkWritable());
    sources.registers.push_back(&*files);
  }
  return pons::checkFree(sources, request);
}

}  // namespace pons

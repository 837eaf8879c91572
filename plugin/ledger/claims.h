// Claims and references: symlinks in the state directory to the record of their owner. All paths in it are made and
// parsed here; the tree is drawn in ledger.cpp. The caller holds the host lock for all changes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/os/directory.h"

#include "plugin/model/shared_state.h"

namespace pons {

struct ClaimLink {
  std::string name;    ///< below the state directory
  std::string target;  ///< relative to the link, so that it is valid under any mount point
};

inline constexpr std::string_view kNetworks = "networks";
inline constexpr std::string_view kPorts = "ports";
inline constexpr std::string_view kHolds = "holds";
inline constexpr std::string_view kStaged = "staged";

std::string networkDirectory(const NetworkName& network);
std::string recordDirectory(const NetworkName& network);
std::string addressDirectory(const NetworkName& network);
std::string portDirectory(Protocol protocol, Port hostPort);
std::string referenceDirectory(const std::string& sharedState);

std::string recordName(const AttachmentKey& key);
std::string stagedName(const AttachmentKey& key);
/// The inverse of recordName().
std::optional<AttachmentKey> keyOfRecord(std::string_view name);

ClaimLink addressClaim(const AttachmentKey& key, const netlib::IpAddress& address);
ClaimLink portClaim(const AttachmentKey& key, const PortForward& forward);
ClaimLink referenceClaim(const AttachmentKey& key, const std::string& sharedState);

/// The attachment whose record the claim points to; nothing if there is no such claim. EBADMSG if it is not a symlink
/// to a record.
netlib::Result<std::optional<AttachmentKey>> pointeeOf(const netlib::Directory& state, const std::string& claim);

/// The same; nothing if the record does not exist: such a claim is stale and may be replaced.
netlib::Result<std::optional<AttachmentKey>> ownerOf(const netlib::Directory& state, const std::string& claim);

/// Makes the claim unless the attachment has it, and replaces a stale one. EADDRINUSE, with the owner, if it belongs to
/// another attachment.
netlib::Result<> addClaim(const netlib::Directory& state, const ClaimLink& claim, const AttachmentKey& key);

/// Does nothing if the claim does not exist or belongs to another attachment.
netlib::Result<> removeClaim(const netlib::Directory& state, const ClaimLink& claim, const AttachmentKey& key);

/// pons sets the modification time of a network's directory of addresses to a constant after its changes, and the
/// kernel sets another one at changes of others: by one system call ADD knows that no address claim is lost. False also
/// where there is no directory, or a process was killed before it set the time.
netlib::Result<bool> hasOwnChangesOnly(const netlib::Directory& state, const NetworkName& network);
netlib::Result<> noteOwnChange(const netlib::Directory& state, const NetworkName& network);

/// Idempotent. True if no reference to the state remains, of any value.
netlib::Result<bool> removeReference(const netlib::Directory& state, const std::string& sharedState,
                                     const AttachmentKey& key);

/// Any attachment with a reference to "name", of any value, or to "name/value", other than `except`; nothing if there
/// is none. Removes stale references that it finds.
netlib::Result<std::optional<AttachmentKey>> anyReference(const netlib::Directory& state,
                                                          const std::string& sharedState,
                                                          const std::optional<AttachmentKey>& except);

/// All directories that may contain references to "name", of any value, or to "name/value".
netlib::Result<std::vector<std::string>> referenceDirectories(const netlib::Directory& state,
                                                              const std::string& sharedState);
/// Those to any state.
netlib::Result<std::vector<std::string>> referenceDirectories(const netlib::Directory& state);

/// The names in a directory; empty if it does not exist or is not a directory.
netlib::Result<std::vector<std::string>> namesIn(const netlib::Directory& state, const std::string& directory);

/// False if it is not empty or not a directory. True if it does not exist.
netlib::Result<bool> removeIfEmpty(const netlib::Directory& state, const std::string& directory);

/// Those of ports and references, which a process that was killed may leave.
netlib::Result<> removeEmptyDirectories(const netlib::Directory& state);

/// "container c1 (eth0) of network demo"
std::string described(const AttachmentKey& key);
/// For errors about another attachment: reads its record, and names the pod that it has.
/// "default/web-0 (container 0123456789ab, eth0) of network demo"
std::string described(const netlib::Directory& state, const AttachmentKey& key);

}  // namespace pons

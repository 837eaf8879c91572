// Claims: symlinks in the state directory whose target is the record of their owner. The names of everything in there
// are made and read here; the tree is drawn in ledger.cpp. Callers hold the host lock.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "netlib/os/directory.h"

#include "plugin/model/attachment.h"

namespace pons {

struct ClaimLink {
  std::string name;    ///< below the state directory
  std::string target;  ///< relative to the link, so that `ls -l` shows the owner wherever the directory is
};

inline constexpr std::string_view kNetworks = "networks";
inline constexpr std::string_view kPorts = "ports";
inline constexpr std::string_view kHolds = "holds";
inline constexpr std::string_view kStaged = "staged";

std::string networkDirectory(const NetworkName& network);
std::string recordDirectory(const NetworkName& network);
std::string addressDirectory(const NetworkName& network);
std::string portDirectory(Protocol protocol, Port hostPort);
std::string holdDirectory(const std::string& hold);

std::string recordName(const AttachmentKey& key);
std::string stagedName(const AttachmentKey& key);
/// Nothing where no record bears that name.
std::optional<AttachmentKey> keyOfRecord(std::string_view name);

ClaimLink addressClaim(const AttachmentKey& key, const netlib::IpAddress& address);
ClaimLink portClaim(const AttachmentKey& key, const PortForward& forward);
ClaimLink holdClaim(const AttachmentKey& key, const std::string& hold);

/// Whose record the claim of that name points at; nothing where there is no such claim. EBADMSG where it is not ours.
netlib::Result<std::optional<AttachmentKey>> pointeeOf(const netlib::Directory& state, const std::string& claim);

/// The same, but a claim whose record is gone counts as none: it is stale and may be replaced.
netlib::Result<std::optional<AttachmentKey>> ownerOf(const netlib::Directory& state, const std::string& claim);

/// Makes the claim, or finds that the attachment has it already, or replaces a stale one. EADDRINUSE, with the owner,
/// where somebody else has it.
netlib::Result<> take(const netlib::Directory& state, const ClaimLink& claim, const AttachmentKey& key);

/// Takes the claim away where the attachment has it; everything else stays.
netlib::Result<> drop(const netlib::Directory& state, const ClaimLink& claim, const AttachmentKey& key);

/// Gives up the hold, had or not. True where nobody else has it.
netlib::Result<bool> dropHold(const netlib::Directory& state, const std::string& hold, const AttachmentKey& key);

/// Somebody who has that hold, other than `except` where that is given; nothing where nobody does. Removes stale claims
/// that it meets.
netlib::Result<std::optional<AttachmentKey>> holderOf(const netlib::Directory& state, const std::string& hold,
                                                      const std::optional<AttachmentKey>& except);

/// The names in a directory; none where there is no directory of that name.
netlib::Result<std::vector<std::string>> namesIn(const netlib::Directory& state, const std::string& directory);

/// False where the directory is in use, or is none; one that is gone already was removed.
netlib::Result<bool> removeIfEmpty(const netlib::Directory& state, const std::string& directory);

/// "container c1 (eth0) of network demo"
std::string described(const AttachmentKey& key);

}  // namespace pons

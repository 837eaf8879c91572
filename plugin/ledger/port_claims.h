// Claims of host ports. Several attachments of one container may claim the same port at the same address; it is
// forwarded to the first of them. The first claim is named after the host address, the others have their position
// appended
// ("0.0.0.0", "0.0.0.0@1"). The caller holds the host lock for check(), add() and remove().
#pragma once

#include "netlib/os/directory.h"

#include "plugin/ledger/refusal.h"
#include "plugin/model/attachment.h"

namespace pons::port_claims {

/// The other attachments of the same container that have claimed ports of this attachment. InUse if another container
/// has claimed one, with its attachment, or if the attachment requests a port twice. Removes stale claims.
netlib::Result<std::vector<AttachmentKey>, Refusal> check(const netlib::Directory& state, const Attachment& attachment);

/// Appends a claim of this port at this address.
netlib::Result<> add(const netlib::Directory& state, const PortForward& forward, const AttachmentKey& key);

/// Removes the claim; later claims move up. `alone`: the caller knows that there are no other claims of this port at
/// this address, and they are not searched.
netlib::Result<> remove(const netlib::Directory& state, const PortForward& forward, const AttachmentKey& key,
                        bool alone);

/// The attachments that claim this port at this address, in order.
netlib::Result<std::vector<AttachmentKey>> owners(const netlib::Directory& state, const PortForward& forward);

/// True if a claim of this port at this address belongs to the attachment or cannot be read.
netlib::Result<bool> has(const netlib::Directory& state, const PortForward& forward, const AttachmentKey& key);

/// An attachment of another container that has claimed the port, at this address or one that includes it or lies in it.
netlib::Result<std::optional<AttachmentKey>> otherOwner(const netlib::Directory& state, const PortForward& forward,
                                                        const ContainerId& container);

/// "host port 8080/tcp on 10.0.0.1"
std::string described(const PortForward& forward);

/// True if there is a claim of this port at this address, even a stale one.
netlib::Result<bool> isClaimed(const netlib::Directory& state, const PortForward& forward);

/// The host address in the name of a claim.
std::optional<netlib::IpAddress> addressIn(std::string_view claimName);

}  // namespace pons::port_claims

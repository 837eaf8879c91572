// Host ports as claims. A host port belongs to a container: several attachments of it may claim the same one, and the
// first of them is the one that it leads to. The first claim is named after the host's address, further ones have their
// place in the line behind it ("0.0.0.0", "0.0.0.0@1"). Callers hold the host lock, but for has().
#pragma once

#include "netlib/os/directory.h"

#include "plugin/model/attachment.h"

namespace pons::port_claims {

/// The other attachments of the same container that have claimed ports of this attachment. EADDRINUSE where another
/// container has, whose attachment is left in `rival`, or where the attachment asks for one port twice.
netlib::Result<std::vector<AttachmentKey>> check(const netlib::Directory& state, const Attachment& attachment,
                                                 std::optional<AttachmentKey>& rival);

/// At the end of the line of those who claim this port at this address.
netlib::Result<> take(const netlib::Directory& state, const PortForward& forward, const AttachmentKey& key);

/// Those behind move up. `alone` where no other attachment can have claimed the port at this address: then that is not
/// looked for.
netlib::Result<> drop(const netlib::Directory& state, const PortForward& forward, const AttachmentKey& key, bool alone);

/// Who claims this port at this address, the first one first. Changes nothing.
netlib::Result<std::vector<AttachmentKey>> owners(const netlib::Directory& state, const PortForward& forward);

/// True where a claim of this port at this address is that attachment's, or cannot be read. Changes nothing.
netlib::Result<bool> has(const netlib::Directory& state, const PortForward& forward, const AttachmentKey& key);

/// True where an attachment claims this port at this address, be its record gone. Changes nothing.
netlib::Result<bool> isClaimed(const netlib::Directory& state, const PortForward& forward);

/// The host's address in the name of a claim; nothing for any other name.
std::optional<netlib::IpAddress> addressIn(std::string_view claimName);

}  // namespace pons::port_claims

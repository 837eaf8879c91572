// Programs of the host that listen on a port which ADD has published.
#pragma once

#include "plugin/model/attachment.h"

namespace pons {

/// A warning in the log for each: the DNAT of a published port is earlier than the delivery to a socket, so such a
/// program gets no connections. No error, as some runtimes hold their published ports that way (nerdctl, podman). For a
/// port that is published at all addresses, programs at 127.0.0.1 or at all addresses are found: those at another one
/// would need a dump, which `ponsctl doctor` makes. One exchange with the kernel; none without published ports.
void warnOfHostListeners(const Attachment& attachment);

}  // namespace pons

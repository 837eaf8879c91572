// What the reference plugins made for a container, as a test sees it.
#pragma once

#include "plugin/migration/reference_orphans.h"

#include "tests/compat/side.h"

namespace support {

/// Of a container that Side::attach() brought to the list's network on that bridge, addresses unknown.
pons::UnrecordedAttachment unrecordedOf(const Conflist& list, const Attached& attached, const std::string& bridge);

/// All rules of both families; `backend` is "nft" or "legacy".
std::string rules(const std::string& backend);

/// The lines of `text` that name one of the container's addresses or chains.
std::string about(const std::string& text, const pons::UnrecordedAttachment& unrecorded, const Attached& attached);

/// The host's links, one a line.
std::string links();

}  // namespace support

// journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram per entry, with searchable fields.
// Without libsystemd, whose loading would slow down each container start.
#pragma once

#include <string_view>

#include "plugin/telemetry/log.h"

namespace pons::journal {

/// `priority` as in syslog(3); fields become PONS_NAME. Never blocks. False if journald does not accept the datagram.
bool send(int priority, std::string_view message, const log::Fields& fields);

}  // namespace pons::journal

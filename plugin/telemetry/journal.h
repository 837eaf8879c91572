// journald's own protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram an entry, whose fields can be searched
// for. Not by libsystemd, a shared library that every start of a container would have to load.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pons::journal {

struct Field {
  std::string_view name;  ///< lower case; becomes PONS_NAME
  std::string value;
};

/// `priority` as in syslog(3). False where no journald takes it.
bool send(int priority, std::string_view message, const std::vector<Field>& fields);

}  // namespace pons::journal

// journald's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): one datagram per entry, with searchable fields.
// Without libsystemd, whose loading would slow down each container start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pons::journal {

struct Field {
  std::string_view name;  ///< lower case; becomes PONS_NAME
  std::string value;
};

/// `priority` as in syslog(3). Never blocks. False if journald does not accept the datagram.
bool send(int priority, std::string_view message, const std::vector<Field>& fields);

}  // namespace pons::journal

// Log lines with the context of the run as key=value fields: to stderr, a file, journald or syslog; never to stdout,
// which CNI reserves for the result. The only component that uses spdlog. Library code (netlib, ledger, steps) does not
// log: it returns errors.
#pragma once

#include <string>
#include <string_view>

#include "plugin/model/log_target.h"

namespace pons::log {

/// Minimum level and target. The target is opened by the first line that is written: most runs write none. A file is
/// opened with O_APPEND and each line is one write(2), so processes can share it and it can be rotated at any time. If
/// the target cannot be opened, standard error is used.
void configure(Level level, Target target);

/// Adds "name=value" to all following lines (journald: field PONS_NAME), and with the first call "ms", the milliseconds
/// since then. An empty value is omitted. `name` is lower case and has static storage duration.
void setField(std::string_view name, std::string value);

/// Writes one line; control characters and invalid UTF-8 in the message are escaped.
void write(Level level, std::string_view message);

inline void debug(std::string_view message) { write(Level::Debug, message); }
inline void info(std::string_view message) { write(Level::Info, message); }
inline void warning(std::string_view message) { write(Level::Warning, message); }
inline void error(std::string_view message) { write(Level::Error, message); }

}  // namespace pons::log

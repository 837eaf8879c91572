// Lines for people and for log keepers: on stderr, in a file, to journald or syslog; never on stdout, which belongs to
// the protocol. Each bears what the run is about. The only room that knows spdlog. Library code (netlib, the ledger,
// steps) does not log: it returns errors.
#pragma once

#include <string>
#include <string_view>

#include "plugin/model/log_target.h"

namespace pons::log {

/// What is written and where. Nothing is opened before the first line that is to be written: most runs have none.
/// A file is opened for appending, a line a write, so that processes can share it and it can be renamed at any time.
/// Where the target cannot be had the lines go to stderr.
void configure(Level level, Target target);

/// From now on every line bears this as "name=value", and the milliseconds since the first call: in journald as the
/// fields PONS_NAME. An empty value is left out. `name` is lower case and lives as long as the program.
void tell(std::string_view name, std::string value);

/// Whether lines of that level are written at all: for those that cost something to make.
bool wants(Level level);

/// One line, whatever is in the message.
void write(Level level, std::string_view message);

inline void debug(std::string_view message) { write(Level::Debug, message); }
inline void info(std::string_view message) { write(Level::Info, message); }
inline void warning(std::string_view message) { write(Level::Warning, message); }
inline void error(std::string_view message) { write(Level::Error, message); }

}  // namespace pons::log

// Lines for people, on stderr or in a file; never on stdout, which belongs to the protocol. The only room that knows
// spdlog. Library code (netlib, the ledger, steps) does not log: it returns errors.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pons::log {

enum class Level : std::uint8_t { Trace, Debug, Info, Warning, Error, Off };

/// What is written and where. Nothing is opened before the first line that is to be written: most runs have none.
/// `file` is absolute, or empty for stderr; it is opened for appending, a line a write, so that processes can share it.
void configure(Level level, std::string file);

void write(Level level, std::string_view message);

inline void info(std::string_view message) { write(Level::Info, message); }
inline void warning(std::string_view message) { write(Level::Warning, message); }
inline void error(std::string_view message) { write(Level::Error, message); }

}  // namespace pons::log

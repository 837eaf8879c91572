// Log lines as logfmt or JSON: to stderr, a file, journald or syslog; never to stdout, which CNI reserves for the
// result. The only component that uses spdlog. Library code (netlib, ledger, steps) does not log: it returns errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plugin/model/log_settings.h"

namespace pons::log {

struct Field {
  std::string_view name;  ///< lower case letters, static storage duration
  std::string value;      ///< any bytes; what is not UTF-8 is written as U+FFFD
};
using Fields = std::vector<Field>;

/// The target is opened by the first line that is written: most runs write none. A file is opened with O_APPEND and
/// each line is one write(2), so processes can share it and it can be rotated at any time. If the target cannot be
/// opened, a warning says so and standard error is used.
void configure(Settings settings);

/// Adds the field to all following lines (journald: PONS_NAME), in place of an earlier one of that name, and with the
/// first call "ms", the milliseconds since then. An empty value is omitted.
void setField(std::string_view name, std::string value);

/// Writes one line, with `fields` in addition. `event`: a literal that says what happened, one of those in pons(8),
/// LOGGING. A line that cannot be written is lost.
void write(Level level, std::string_view event, std::string_view message, const Fields& fields = {});

inline void debug(std::string_view event, std::string_view message, const Fields& fields = {}) {
  write(Level::Debug, event, message, fields);
}
inline void info(std::string_view event, std::string_view message, const Fields& fields = {}) {
  write(Level::Info, event, message, fields);
}
inline void warning(std::string_view event, std::string_view message, const Fields& fields = {}) {
  write(Level::Warning, event, message, fields);
}
inline void error(std::string_view event, std::string_view message, const Fields& fields = {}) {
  write(Level::Error, event, message, fields);
}

}  // namespace pons::log

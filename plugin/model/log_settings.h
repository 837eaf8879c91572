// Level, format and target of the log.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace pons::log {

enum class Level : std::uint8_t { Trace, Debug, Info, Warning, Error, Off };
inline constexpr std::array<std::string_view, 6> kLevelNames{"trace", "debug", "info", "warning", "error", "off"};

enum class Format : std::uint8_t {
  Logfmt,  ///< name=value name="other value"
  Json     ///< one object per line
};

enum class Place : std::uint8_t { Stderr, File, Journal, Syslog };

struct Target {
  Place place = Place::Stderr;
  std::string file = {};  ///< absolute path, for Place::File

  friend bool operator==(const Target&, const Target&) = default;
};

struct Settings {
  Level level = Level::Warning;
  Format format = Format::Logfmt;  ///< not of journald, which has fields of its own
  Target target = {};

  friend bool operator==(const Settings&, const Settings&) = default;
};

}  // namespace pons::log

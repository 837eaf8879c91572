// Log level and destination.
#pragma once

#include <cstdint>
#include <string>

namespace pons::log {

enum class Level : std::uint8_t { Trace, Debug, Info, Warning, Error, Off };

enum class Place : std::uint8_t { Stderr, File, Journal, Syslog };

struct Target {
  Place place = Place::Stderr;
  std::string file = {};  ///< absolute path, for Place::File

  friend bool operator==(const Target&, const Target&) = default;
};

}  // namespace pons::log

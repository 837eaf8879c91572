// Settings of pons itself, independent of the network.
#pragma once

#include <chrono>
#include <string>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/link_alias.h"
#include "plugin/model/log_settings.h"

namespace pons::cni {

struct Settings {
  std::string stateDir = kDefaultStateDir;  ///< absolute
  log::Settings log = {};
  std::chrono::milliseconds lockTimeout = std::chrono::seconds{30};
  std::string pluginPath;  ///< CNI_PATH: directories separated by ':', searched for delegated IPAM plugins

  friend bool operator==(const Settings&, const Settings&) = default;
};

/// For Field::parsed().
inline constexpr std::string_view kExpectedPath = "an absolute path without \"..\"";
std::optional<std::string> parsePath(std::string_view text);

/// PONS_LOG, "LEVEL,FORMAT:TARGET" with the values of "logLevel", "logFormat" and "logFile", each of which may be
/// missing, overrides `configured`: it can be set for the runtime without changing the configuration. A wrong part has
/// no effect, and `ignored` gets the error: no setting of the log fails a request.
log::Settings logSettings(const Environment& environment, log::Settings configured, std::vector<Error>& ignored);

/// "stateDir", else PONS_STATE_DIR, else the default; "lockTimeout" (seconds, 1 to 600); the log as above. What is
/// wrong with PONS_LOG alone is not in `ignored`: see logSettings().
Result<Settings> decodeSettings(const Field& config, const Environment& environment, std::vector<Error>& ignored);
/// The same, but never fails: invalid values get their defaults, and `ignored` the error.
Settings decodeSettingsLeniently(const Field& config, const Environment& environment, std::vector<Error>& ignored);

}  // namespace pons::cni

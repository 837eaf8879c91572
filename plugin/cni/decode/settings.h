// Settings of pons itself, independent of the network.
#pragma once

#include <chrono>
#include <string>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/link_alias.h"
#include "plugin/model/log_target.h"

namespace pons::cni {

struct LogSettings {
  log::Level level = log::Level::Warning;
  log::Target target = {};

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

struct Settings {
  std::string stateDir = kDefaultStateDir;  ///< absolute
  LogSettings log = {};
  std::chrono::milliseconds lockTimeout = std::chrono::seconds{30};
  std::string pluginPath;  ///< CNI_PATH: directories separated by ':', searched for delegated IPAM plugins

  friend bool operator==(const Settings&, const Settings&) = default;
};

/// For Field::parsed().
inline constexpr std::string_view kExpectedPath = "an absolute path without \"..\"";
std::optional<std::string> parsePath(std::string_view text);

/// PONS_LOG is "<level>", "<level>:<target>" or ":<target>", with the values of "logLevel" and "logFile", and overrides
/// both: it can be set for the runtime without changing the configuration. InvalidEnvironment for any other format.
Result<LogSettings> logSettings(const Environment& environment, LogSettings configured = {});

/// "stateDir", else PONS_STATE_DIR, else the default; "logFile", "logLevel", "lockTimeout" (seconds, 1 to 600).
Result<Settings> decodeSettings(const Field& config, const Environment& environment);
/// The same, but never fails: invalid values get their defaults, and `ignored` a message.
Settings decodeSettingsLeniently(const Field& config, const Environment& environment,
                                 std::vector<std::string>& ignored);

}  // namespace pons::cni

// How pons itself behaves, whatever network it serves: the only part of a configuration that DEL looks at.
#pragma once

#include <chrono>
#include <string>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/log_target.h"

namespace pons::cni {

struct LogSettings {
  log::Level level = log::Level::Warning;
  log::Target target = {};

  friend bool operator==(const LogSettings&, const LogSettings&) = default;
};

struct Settings {
  std::string stateDir = "/run/pons";  ///< absolute
  LogSettings log = {};
  std::chrono::milliseconds lockTimeout = std::chrono::seconds{30};
  std::string pluginPath;  ///< CNI_PATH: directories joined by ':', in which foreign IPAM plugins are looked for

  friend bool operator==(const Settings&, const Settings&) = default;
};

/// For Field::parsed().
inline constexpr std::string_view kExpectedPath = "an absolute path without \"..\"";
std::optional<std::string> parsePath(std::string_view text);

/// PONS_LOG is "<level>", "<level>:<place>" or ":<place>", a place what "logFile" takes. It goes before the
/// configuration: who looks for a fault sets it where the runtime is started. InvalidEnvironment.
Result<LogSettings> logSettings(const Environment& environment, LogSettings configured = {});

/// "stateDir", else PONS_STATE_DIR, else the default; "logFile", "logLevel", "lockTimeout" (seconds, 1 to 600).
Result<Settings> decodeSettings(const Field& config, const Environment& environment);
/// The same with the default for what cannot be read, and a message in `ignored`.
Settings decodeSettingsLeniently(const Field& config, const Environment& environment,
                                 std::vector<std::string>& ignored);

}  // namespace pons::cni

#include "plugin/cni/settings.h"

#include <algorithm>
#include <array>

#include "plugin/cni/text.h"

namespace pons::cni {

namespace {

constexpr std::array<std::string_view, 6> kLogLevels{"trace", "debug", "info", "warning", "error", "off"};

std::optional<log::Level> parseLogLevel(std::string_view text) {
  const auto found = std::ranges::find(kLogLevels, text);
  return found == kLogLevels.end() ? std::nullopt : std::optional{static_cast<log::Level>(found - kLogLevels.begin())};
}

Result<std::string> decodeStateDir(const Field& field, const std::string& fromEnvironment) {
  if (const auto path = TRY(field.parsed(parsePath, kExpectedPath))) return *path;
  if (fromEnvironment.empty()) return Settings{}.stateDir;
  if (const auto path = parsePath(fromEnvironment)) return *path;
  return fail(ErrorCode::InvalidEnvironment,
              "invalid PONS_STATE_DIR=" + fromEnvironment + ", expected " + std::string{kExpectedPath});
}

}  // namespace

std::optional<std::string> parsePath(std::string_view text) {
  const auto isControl = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
  if (!text.starts_with('/') || std::ranges::any_of(text, isControl)) return std::nullopt;
  if (std::ranges::count(split(text, '/'), "..") > 0) return std::nullopt;
  return std::string{text};
}

Result<Settings> decodeSettings(const Field& config, const Environment& environment) {
  Settings settings;
  settings.stateDir = TRY(decodeStateDir(config["stateDir"], environment.stateDir));
  settings.pluginPath = environment.path;
  settings.logFile = TRY(config["logFile"].parsed(parsePath, kExpectedPath)).value_or("");
  settings.logLevel = TRY(config["logLevel"].parsed(parseLogLevel, "trace, debug, info, warning, error or off"))
                          .value_or(settings.logLevel);
  if (const auto seconds = TRY(config["lockTimeout"].number(1, 600))) {
    settings.lockTimeout = std::chrono::seconds{*seconds};
  }
  return settings;
}

}  // namespace pons::cni

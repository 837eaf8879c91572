#include "plugin/cni/settings.h"

#include <algorithm>
#include <array>

#include "plugin/cni/text.h"

namespace pons::cni {

namespace {

constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warning", "error", "off"};
constexpr std::string_view kExpectedLevel = "trace, debug, info, warning, error or off";

std::optional<log::Level> parseLevel(std::string_view text) {
  const auto* const found = std::ranges::find(kLevels, text);
  return found == kLevels.end() ? std::nullopt : std::optional{static_cast<log::Level>(found - kLevels.begin())};
}

constexpr std::string_view kExpectedPlace = "an absolute path without \"..\", stderr, journal or syslog";

std::optional<log::Target> parsePlace(std::string_view text) {
  if (text == "stderr") return log::Target{log::Place::Stderr};
  if (text == "journal") return log::Target{log::Place::Journal};
  if (text == "syslog") return log::Target{log::Place::Syslog};
  if (auto path = parsePath(text)) return log::Target{log::Place::File, std::move(*path)};
  return std::nullopt;
}

Result<LogSettings> decodeLog(const Field& config) {
  LogSettings settings;
  settings.target = TRY(config["logFile"].parsed(parsePlace, kExpectedPlace)).value_or(settings.target);
  settings.level = TRY(config["logLevel"].parsed(parseLevel, kExpectedLevel)).value_or(settings.level);
  return settings;
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

Result<LogSettings> logSettings(const Environment& environment, LogSettings configured) {
  const std::string_view asked = environment.log;
  const std::size_t colon = std::min(asked.find(':'), asked.size());
  const std::string_view level = asked.substr(0, colon);
  const auto invalid = [&](std::string_view expected) {
    return fail(ErrorCode::InvalidEnvironment,
                "invalid PONS_LOG=" + environment.log + ", expected " + std::string{expected});
  };
  if (!level.empty()) {
    const auto parsed = parseLevel(level);
    if (!parsed) return invalid(kExpectedLevel);
    configured.level = *parsed;
  }
  if (colon < asked.size()) {
    auto parsed = parsePlace(asked.substr(colon + 1));
    if (!parsed) return invalid(kExpectedPlace);
    configured.target = std::move(*parsed);
  }
  return configured;
}

Result<Settings> decodeSettings(const Field& config, const Environment& environment) {
  Settings settings;
  settings.stateDir = TRY(decodeStateDir(config["stateDir"], environment.stateDir));
  settings.pluginPath = environment.path;
  const LogSettings configured = TRY(decodeLog(config));
  settings.log = TRY(logSettings(environment, configured));
  if (const auto seconds = TRY(config["lockTimeout"].number(1, 600))) {
    settings.lockTimeout = std::chrono::seconds{*seconds};
  }
  return settings;
}

}  // namespace pons::cni

#include "plugin/cni/decode/settings.h"

#include <algorithm>
#include <array>

#include "netlib/base/text.h"

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

Result<log::Target> decodeLogTarget(const Field& config) {
  return TRY(config["logFile"].parsed(parsePlace, kExpectedPlace)).value_or(log::Target{});
}

Result<log::Level> decodeLogLevel(const Field& config) {
  return TRY(config["logLevel"].parsed(parseLevel, kExpectedLevel)).value_or(LogSettings{}.level);
}

Result<std::chrono::milliseconds> decodeLockTimeout(const Field& config) {
  const auto seconds = TRY(config["lockTimeout"].number(1, 600));
  return seconds ? std::chrono::seconds{*seconds} : Settings{}.lockTimeout;
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
  if (std::ranges::count(netlib::split(text, '/'), "..") > 0) return std::nullopt;
  return std::string{text};
}

Result<LogSettings> logSettings(const Environment& environment, LogSettings configured) {
  const std::string_view text = environment.log;
  const std::size_t colon = std::min(text.find(':'), text.size());
  const std::string_view level = text.substr(0, colon);
  const auto invalid = [&](std::string_view expected) {
    return fail(ErrorCode::InvalidEnvironment,
                "invalid PONS_LOG=" + environment.log + ", expected " + std::string{expected});
  };
  if (!level.empty()) {
    const auto parsed = parseLevel(level);
    if (!parsed) return invalid(kExpectedLevel);
    configured.level = *parsed;
  }
  if (colon < text.size()) {
    auto parsed = parsePlace(text.substr(colon + 1));
    if (!parsed) return invalid(kExpectedPlace);
    configured.target = std::move(*parsed);
  }
  return configured;
}

Settings decodeSettingsLeniently(const Field& config, const Environment& environment,
                                 std::vector<std::string>& ignored) {
  Settings settings;
  const auto read = [&ignored](auto decoded, auto& setting) {
    setting = orDefault(std::move(decoded), setting, ignored);
  };
  read(decodeStateDir(config["stateDir"], environment.stateDir), settings.stateDir);
  settings.pluginPath = environment.path;
  read(decodeLogTarget(config), settings.log.target);
  read(decodeLogLevel(config), settings.log.level);
  read(logSettings(environment, settings.log), settings.log);
  read(decodeLockTimeout(config), settings.lockTimeout);
  return settings;
}

// The first error, or else the lenient decoding, which then finds none.
Result<Settings> decodeSettings(const Field& config, const Environment& environment) {
  TRY(decodeStateDir(config["stateDir"], environment.stateDir));
  TRY(decodeLogTarget(config));
  TRY(decodeLogLevel(config));
  TRY(logSettings(environment));
  TRY(decodeLockTimeout(config));
  std::vector<std::string> none;
  return decodeSettingsLeniently(config, environment, none);
}

}  // namespace pons::cni

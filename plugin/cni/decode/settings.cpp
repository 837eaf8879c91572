#include "plugin/cni/decode/settings.h"

#include <algorithm>

#include "netlib/base/text.h"

namespace pons::cni {

namespace {

constexpr std::string_view kExpectedLevel = "trace, debug, info, warning, error or off";
constexpr std::string_view kExpectedFormat = "logfmt or json";
constexpr std::string_view kExpectedTarget = "an absolute path without \"..\", stderr, journal or syslog";

/// Also the short forms of other programs; in any case.
std::optional<log::Level> parseLevel(std::string_view text) {
  std::string name = netlib::lowerCase(text);
  if (name == "warn" || name == "err") name = name == "warn" ? "warning" : "error";
  const auto* const found = std::ranges::find(log::kLevelNames, name);
  if (found == log::kLevelNames.end()) return std::nullopt;
  return static_cast<log::Level>(found - log::kLevelNames.begin());
}

std::optional<log::Format> parseFormat(std::string_view text) {
  if (netlib::equalIgnoringCase(text, "logfmt")) return log::Format::Logfmt;
  if (netlib::equalIgnoringCase(text, "json")) return log::Format::Json;
  return std::nullopt;
}

std::optional<log::Target> parseTarget(std::string_view text) {
  if (text == "stderr") return log::Target{log::Place::Stderr};
  if (text == "journal") return log::Target{log::Place::Journal};
  if (text == "syslog") return log::Target{log::Place::Syslog};
  if (auto path = parsePath(text)) return log::Target{log::Place::File, std::move(*path)};
  return std::nullopt;
}

log::Settings decodeLog(const Field& config, const Environment& environment, std::vector<Error>& ignored) {
  log::Settings settings;
  const auto read = [&ignored](const Field& field, auto parse, std::string_view expected, auto& setting) {
    setting = orDefault(field.parsed(parse, expected), {}, ignored).value_or(setting);
  };
  read(config["logLevel"], parseLevel, kExpectedLevel, settings.level);
  read(config["logFormat"], parseFormat, kExpectedFormat, settings.format);
  read(config["logFile"], parseTarget, kExpectedTarget, settings.target);
  std::vector<Error> reported;  // by the caller of logSettings(), before the configuration was read
  return logSettings(environment, std::move(settings), reported);
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

log::Settings logSettings(const Environment& environment, log::Settings configured, std::vector<Error>& ignored) {
  const auto invalid = [&](std::string_view part, std::string_view expected) {
    ignored.emplace_back(ErrorCode::InvalidEnvironment, "invalid \"" + std::string{part} + "\" in PONS_LOG=" +
                                                            environment.log + ", expected " + std::string{expected});
  };
  const std::string_view text = environment.log;
  const std::size_t colon = std::min(text.find(':'), text.size());
  for (const std::string_view word : netlib::split(text.substr(0, colon), ',')) {
    const auto level = parseLevel(word);
    const auto format = parseFormat(word);
    configured.level = level.value_or(configured.level);
    configured.format = format.value_or(configured.format);
    if (!level && !format && !word.empty()) {
      invalid(word, "a level (" + std::string{kExpectedLevel} + ") or a format (" + std::string{kExpectedFormat} + ")");
    }
  }
  if (colon == text.size()) return configured;
  const std::string_view target = text.substr(colon + 1);
  if (auto parsed = parseTarget(target)) {
    configured.target = *std::move(parsed);
  } else {
    invalid(target, kExpectedTarget);
  }
  return configured;
}

Settings decodeSettingsLeniently(const Field& config, const Environment& environment, std::vector<Error>& ignored) {
  Settings settings;
  settings.stateDir = orDefault(decodeStateDir(config["stateDir"], environment.stateDir), settings.stateDir, ignored);
  settings.log = decodeLog(config, environment, ignored);
  settings.lockTimeout = orDefault(decodeLockTimeout(config), settings.lockTimeout, ignored);
  settings.pluginPath = environment.path;
  return settings;
}

// The first error, or else the lenient decoding.
Result<Settings> decodeSettings(const Field& config, const Environment& environment, std::vector<Error>& ignored) {
  TRY(decodeStateDir(config["stateDir"], environment.stateDir));
  TRY(decodeLockTimeout(config));
  return decodeSettingsLeniently(config, environment, ignored);
}

}  // namespace pons::cni

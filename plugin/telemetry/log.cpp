#include "plugin/telemetry/log.h"

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>

#include "netlib/base/utf8.h"

#include "plugin/telemetry/journal.h"

namespace pons::log {

namespace {

using Clock = std::chrono::steady_clock;

struct Severity {
  spdlog::level::level_enum ofSpdlog;
  int ofSyslog;
};
Severity severityOf(Level level) {
  constexpr std::array kSeverities{Severity{spdlog::level::trace, LOG_DEBUG}, Severity{spdlog::level::debug, LOG_DEBUG},
                                   Severity{spdlog::level::info, LOG_INFO}, Severity{spdlog::level::warn, LOG_WARNING},
                                   Severity{spdlog::level::err, LOG_ERR}};
  return kSeverities.at(static_cast<std::size_t>(level));
}

/// Per process: each process runs one verb.
struct State {
  Level level = Level::Warning;
  Target target = {};
  std::optional<spdlog::logger> logger = std::nullopt;
  std::vector<journal::Field> fields = {};
  std::optional<Clock::time_point> start = std::nullopt;
};
State& state() {
  static State instance;
  return instance;
}

/// Falls back to stderr, which runtimes keep: a log file that cannot be opened must not fail the ADD.
spdlog::sink_ptr makeSink(const Target& target) {
  if (target.place == Place::Syslog)
    return std::make_shared<spdlog::sinks::syslog_sink_st>("pons", LOG_PID, LOG_DAEMON, true);
  if (target.place == Place::File) {
    try {
      return std::make_shared<spdlog::sinks::basic_file_sink_st>(target.file);
    } catch (const spdlog::spdlog_ex&) { return makeSink({}); }
  }
  return std::make_shared<spdlog::sinks::stderr_sink_st>();
}

spdlog::logger& opened() {
  State& all = state();
  if (!all.logger) {
    all.logger.emplace("pons", makeSink(all.target));
    all.logger->set_level(spdlog::level::trace);
    const bool addsTimestamp = all.target.place == Place::Syslog;
    all.logger->set_pattern(addsTimestamp ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e%z pons[%P] %l: %v");
    all.logger->flush_on(spdlog::level::trace);
  }
  return *all.logger;
}

/// Log parsers split at spaces and "=".
std::string quoted(const std::string& value) {
  if (value.find_first_of(" =\"\\") == std::string::npos) return netlib::printable(value);
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return netlib::printable(text + "\"");
}

std::string milliseconds() {
  const auto& start = state().start;
  if (!start) return {};
  const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - *start).count();
  return fmt::format("{}.{:03}", passed / 1000, passed % 1000);
}

std::vector<journal::Field> fields() {
  std::vector<journal::Field> all = state().fields;
  if (std::string passed = milliseconds(); !passed.empty()) all.push_back({"ms", std::move(passed)});
  return all;
}

}  // namespace

void configure(Level level, Target target) {
  state().level = level;
  state().target = std::move(target);
  state().logger.reset();
}

void setField(std::string_view name, std::string value) {
  if (!state().start) state().start = Clock::now();
  if (!value.empty()) state().fields.push_back({name, std::move(value)});
}

void write(Level level, std::string_view message) {
  if (level < state().level || state().level == Level::Off) return;
  const std::vector<journal::Field> all = fields();
  if (state().target.place == Place::Journal) {
    if (journal::send(severityOf(level).ofSyslog, message, all)) return;
    configure(state().level, {});
  }
  std::string line = netlib::printable(message);
  for (const auto& [name, value] : all) line += " " + std::string{name} + "=" + quoted(value);
  opened().log(severityOf(level).ofSpdlog, "{}", line);
}

}  // namespace pons::log

#include "plugin/telemetry/log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>

#include <fcntl.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <unistd.h>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"
#include "netlib/base/utf8.h"
#include "netlib/os/file.h"

#include "plugin/telemetry/journal.h"

namespace pons::log {

namespace {

using Clock = std::chrono::steady_clock;

/// Of syslog(3), in the order of Level.
constexpr std::array kPriorities{LOG_DEBUG, LOG_DEBUG, LOG_INFO, LOG_WARNING, LOG_ERR};
constexpr std::array kLevelsOfSpdlog{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                                     spdlog::level::warn, spdlog::level::err};

/// Per process: each process runs one verb.
struct State {
  Settings settings = {};
  std::optional<spdlog::logger> logger = std::nullopt;
  Fields fields = {};
  std::optional<Clock::time_point> start = std::nullopt;
};
State& state() {
  static State instance;
  return instance;
}

/// One write(2) per line. spdlog's own file sink creates directories, retries with sleeps, and blocks on a FIFO.
class FileSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FileSink(netlib::UniqueFd file) : file_(std::move(file)) {}

 protected:
  // NOLINTBEGIN(readability-identifier-naming): spdlog's names
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    static_cast<void>(netlib::writeAll(file_.get(), {line.data(), line.size()}, "log"));
  }
  void flush_() override {}
  // NOLINTEND(readability-identifier-naming)

 private:
  netlib::UniqueFd file_;
};

netlib::Result<spdlog::sink_ptr> sinkFor(const Target& target) {
  if (target.place == Place::Syslog)
    return std::make_shared<spdlog::sinks::syslog_sink_st>("pons", LOG_PID, LOG_DAEMON, true);
  if (target.place != Place::File) return std::make_shared<spdlog::sinks::stderr_sink_st>();
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  netlib::UniqueFd file{open(target.file.c_str(), kFlags, 0644)};
  if (!file) return netlib::failErrno("cannot open the log file " + target.file);
  return std::make_shared<FileSink>(std::move(file));
}

/// What the logger puts around a line; %v is the line. syslog adds the time itself.
std::string patternFor(const Settings& settings) {
  const bool isJson = settings.format == Format::Json;
  const std::string time = "%Y-%m-%dT%H:%M:%S.%e%z";
  if (settings.target.place == Place::Syslog) return isJson ? "{%v}" : "%v";
  return isJson ? R"({"time":")" + time + R"(",%v})" : "time=" + time + " %v";
}

/// Runtimes keep standard error.
void useStderr(const std::string& reason) {
  state().settings.target = {};
  warning("log-target", reason + ": log lines go to standard error");
}

spdlog::logger& opened() {
  State& all = state();
  if (all.logger) return *all.logger;
  auto sink = sinkFor(all.settings.target);
  if (!sink) {
    useStderr(sink.error().message);
    return opened();
  }
  all.logger.emplace("pons", *std::move(sink));
  all.logger->set_level(spdlog::level::trace);
  all.logger->set_pattern(patternFor(all.settings));
  return *all.logger;
}

std::string milliseconds() {
  if (!state().start) return {};
  const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - *state().start).count();
  return fmt::format("{}.{:03}", passed / 1000, passed % 1000);
}

/// All but level and message, which journald has under names of its own.
Fields fieldsOf(std::string_view event, const Fields& own) {
  Fields all{{"event", std::string{event}}};
  all.insert(all.end(), state().fields.begin(), state().fields.end());
  all.insert(all.end(), own.begin(), own.end());
  if (std::string passed = milliseconds(); !passed.empty()) all.push_back({"ms", std::move(passed)});
  all.push_back({"pid", std::to_string(getpid())});
  return all;
}

/// The same escapes in both formats: logfmt's quoted strings are JSON's. json::Writer would leave C1 characters, which
/// command a terminal.
std::string textOf(const Field& field, Format format) {
  constexpr std::array<std::string_view, 3> kNumbers{"code", "ms", "pid"};
  const auto& [name, value] = field;
  const std::string quoted = netlib::quoted(value);
  const bool isNumber = std::ranges::find(kNumbers, name) != kNumbers.end();
  if (format == Format::Json) return fmt::format(R"("{}":{})", name, isNumber ? value : quoted);
  const bool isPlain = quoted.size() == value.size() + 2 && value.find_first_of(" =") == std::string::npos;
  return fmt::format("{}={}", name, isPlain && !value.empty() ? value : quoted);
}

std::string lineOf(Level level, std::string_view message, const Fields& fields) {
  const Format format = state().settings.format;
  std::vector<std::string> texts{
      textOf({"level", std::string{kLevelNames.at(static_cast<std::size_t>(level))}}, format)};
  for (const Field& field : fields) {
    texts.push_back(textOf(field, format));
    if (field.name == "event") texts.push_back(textOf({"msg", std::string{message}}, format));
  }
  return fmt::format("{}", fmt::join(texts, format == Format::Json ? "," : " "));
}

}  // namespace

void configure(Settings settings) {
  state().settings = std::move(settings);
  state().logger.reset();
}

void setField(std::string_view name, std::string value) {
  if (!state().start) state().start = Clock::now();
  std::erase_if(state().fields, [name](const Field& field) { return field.name == name; });
  if (!value.empty()) state().fields.push_back({name, std::move(value)});
}

void write(Level level, std::string_view event, std::string_view message, const Fields& fields) {
  if (level < state().settings.level) return;
  const Fields all = fieldsOf(event, fields);
  const auto severity = static_cast<std::size_t>(level);
  if (state().settings.target.place == Place::Journal) {
    if (journal::send(kPriorities.at(severity), message, all)) return;
    useStderr("cannot send to journald");
  }
  opened().log(kLevelsOfSpdlog.at(severity), "{}", lineOf(level, message, all));
}

}  // namespace pons::log

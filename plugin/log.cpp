#include "plugin/log.h"

#include <array>
#include <memory>
#include <optional>

#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace pons::log {

namespace {

struct Target {
  Level level = Level::Warning;
  std::string file;
  std::optional<spdlog::logger> logger;
};

/// Of the process: a plugin is one run of one verb.
Target& target() {
  static Target instance;
  return instance;
}

spdlog::level::level_enum levelOf(Level level) {
  constexpr std::array kLevels{spdlog::level::trace, spdlog::level::debug, spdlog::level::info,
                               spdlog::level::warn,  spdlog::level::err,   spdlog::level::off};
  return kLevels.at(static_cast<std::size_t>(level));
}

spdlog::sink_ptr makeSink(const std::string& file) {
  if (!file.empty()) {
    try {
      return std::make_shared<spdlog::sinks::basic_file_sink_st>(file);
    } catch (const spdlog::spdlog_ex&) {
      // A container is not refused for want of a log: the lines go to stderr, which runtimes keep.
    }
  }
  return std::make_shared<spdlog::sinks::stderr_sink_st>();
}

spdlog::logger& opened(Target& to) {
  if (!to.logger) {
    to.logger.emplace("pons", makeSink(to.file));
    to.logger->set_level(levelOf(to.level));
    to.logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z pons[%P] %l: %v");
    to.logger->flush_on(spdlog::level::trace);
  }
  return *to.logger;
}

}  // namespace

void configure(Level level, std::string file) {
  target().level = level;
  target().file = std::move(file);
  target().logger.reset();
}

void write(Level level, std::string_view message) {
  if (level < target().level || target().level == Level::Off) return;
  opened(target()).log(levelOf(level), "{}", message);
}

}  // namespace pons::log

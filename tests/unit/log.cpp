// Both formats of a log line say the same, whatever is in its values; and the manual has the events.
#include "plugin/telemetry/log.h"

#include <filesystem>
#include <regex>
#include <set>

#include <doctest/doctest.h>

#include "netlib/base/utf8.h"

#include "tests/support/log_lines.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
using namespace pons;

namespace {

const std::vector<std::string> kHostile{"plain",
                                        "two words",
                                        "a=b",
                                        "\"",
                                        "\\",
                                        "a\nb",
                                        "end\\",
                                        "\t\r",
                                        "caf\xc3\xa9",
                                        "\xe2\x9c\x93 ok",
                                        "{\"a\":1}",
                                        "\x1b[31mred",
                                        "\x7f",
                                        "\xc2\x9b"
                                        "2J",
                                        "\xff=\xe2\x82",
                                        "level=error msg=x",
                                        std::string{"a\0b", 3}};

/// Lines at each level with the hostile values, as text of a log file.
std::string write(log::Format format) {
  const Scratch scratch;
  log::configure({log::Level::Trace, format, {log::Place::File, scratch / "log"}});
  for (const std::string& value : kHostile) {
    log::setField("container", value);
    log::debug("step", value);
    log::info("done", value, {{"key", value}});
    log::warning("ignored", value);
    log::error("failed", value, {{"code", "7"}});
  }
  log::configure({});
  return contentOf(scratch / "log");
}

std::set<std::string> allMatches(const std::string& text, const std::string& pattern) {
  const std::regex expression{pattern};
  std::set<std::string> found;
  for (std::sregex_iterator match{text.begin(), text.end(), expression}; match != std::sregex_iterator{}; ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

}  // namespace

TEST_CASE("A line of each format parses back to the same names and values") {
  const std::vector<LogLine> logfmt = logLines(write(log::Format::Logfmt));
  const std::vector<LogLine> json = logLines(write(log::Format::Json), jsonLine);
  const std::vector<std::array<std::string, 2>> kinds{
      {"debug", "step"}, {"info", "done"}, {"warning", "ignored"}, {"error", "failed"}};
  REQUIRE(logfmt.size() == kHostile.size() * kinds.size());
  REQUIRE(json.size() == logfmt.size());
  for (std::size_t i = 0; i < logfmt.size(); ++i) {
    const std::string value = netlib::asUtf8(kHostile[i / kinds.size()]);
    CAPTURE(value);
    for (LogLine line : {logfmt[i], json[i]}) {
      for (const char* changing : {"time", "ms", "pid"}) CHECK_FALSE(line.extract(changing).empty());
      const auto& [level, event] = kinds[i % kinds.size()];
      LogLine expected{{"level", level}, {"event", event}, {"msg", value}, {"container", value}};
      if (level == "info") expected["key"] = value;
      if (level == "error") expected["code"] = "7";
      CHECK(line == expected);
    }
  }
}

TEST_CASE("No line has a byte that commands a terminal or is not UTF-8, and codes are numbers in JSON") {
  for (const log::Format format : {log::Format::Logfmt, log::Format::Json}) {
    const std::string text = write(format);
    for (const std::string_view line : netlib::split(text, '\n')) CHECK(netlib::printable(line) == line);
    CHECK(contains(text, R"("code":7,)") == (format == log::Format::Json));
  }
}

TEST_CASE("A line below the level, and each line at level off, opens no file") {
  const Scratch scratch;
  for (const log::Level level : {log::Level::Warning, log::Level::Error, log::Level::Off}) {
    log::configure({level, log::Format::Logfmt, {log::Place::File, scratch / "log"}});
    log::debug("step", "x");
    log::info("done", "x");
    if (level != log::Level::Warning) log::warning("ignored", "x");
    if (level == log::Level::Off) log::error("failed", "x");
    log::configure({});
    CHECK_FALSE(std::filesystem::exists(scratch / "log"));
  }
}

TEST_CASE("pons(8) lists the events of the sources, and no others") {
  std::set<std::string> used;
  for (const auto& file : std::filesystem::recursive_directory_iterator{std::string{PONS_SOURCE_DIR} + "/plugin"}) {
    if (file.path().extension() != ".cpp") continue;
    const std::string source = contentOf(file.path());
    // An event that is no literal is found as well, and is in no manual.
    used.merge(allMatches(source, R"re(log::(?:debug|info|warning|error)\(\s*"?([a-z-]+|.{1,9}))re"));
    used.merge(allMatches(source, R"re(host\.note\(\s*"([a-z-]+)")re"));  // becomes a warning
    const bool isOfLog = file.path().filename() == "log.cpp";
    if (isOfLog) used.merge(allMatches(source, R"re(\bwarning\("([a-z-]+)")re"));
  }
  CHECK(used.erase("event") == 1);  // where host.note() is defined
  const std::string page = contentOf(std::string{PONS_SOURCE_DIR} + "/scripts/man/pons.8");
  const std::size_t begin = page.find(".Sh LOGGING");
  REQUIRE(begin != std::string::npos);
  const std::string section = page.substr(begin, page.find("\n.Sh ", begin) - begin);
  CHECK(used.contains("done"));
  CHECK(used == allMatches(section, R"(\.It Li ([a-z-]+)\n)"));
}

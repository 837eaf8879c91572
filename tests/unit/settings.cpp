#include "tests/unit/decoded.h"

using namespace pons;
using namespace pons::cni;
using namespace pons::test;
using netlib::Family;

TEST_CASE("settings: the configuration wins over PONS_STATE_DIR, that over the default") {
  Environment environment = kEnvironment;
  environment.stateDir = "/srv/env";
  const auto stateDir = [&](std::string_view members) {
    return configOf(configWithIpam(members), environment).settings.stateDir;
  };
  CHECK(decoded("").settings.stateDir == "/run/pons");
  CHECK(stateDir("") == "/srv/env");
  CHECK(stateDir(R"("stateDir": "/srv/file")") == "/srv/file");
  environment.stateDir = "relative";
  CHECK(addCode(configWithIpam(""), environment) == 4);

  CHECK(decoded(R"("lockTimeout": 600)").settings.lockTimeout == std::chrono::seconds{600});
}

TEST_CASE("settings of the log: PONS_LOG wins, part by part, over the configuration, that over the default") {
  using log::Format, log::Level, log::Place;
  const std::string members = R"("logFile": "/var/log/pons", "logLevel": "Warn", "logFormat": "JSON")";
  const log::Target file{Place::File, "/var/log/pons"};
  const std::vector<std::pair<std::string, log::Settings>> all{
      {"", {Level::Warning, Format::Json, file}},
      {"err", {Level::Error, Format::Json, file}},
      {"logfmt", {Level::Warning, Format::Logfmt, file}},
      {"logfmt,trace", {Level::Trace, Format::Logfmt, file}},
      {":syslog", {Level::Warning, Format::Json, {Place::Syslog}}},
      {"OFF,logfmt:journal", {Level::Off, Format::Logfmt, {Place::Journal}}},
      {"debug:/a:b,c", {Level::Debug, Format::Json, {Place::File, "/a:b,c"}}},
  };
  for (const auto& [variable, expected] : all) {
    CAPTURE(variable);
    Environment environment = kEnvironment;
    environment.log = variable;
    const Config config = configOf(configWithIpam(members), environment);
    CHECK(config.settings.log == expected);
    CHECK(config.ignored.empty());
  }
  CHECK(decoded("").settings.log == log::Settings{});
}

TEST_CASE("settings of the log: what is wrong gets the default and one message, and what is right counts") {
  for (const std::string member : {R"("logLevel": "loud")", R"("logLevel": 7)", R"("logFile": "x")", R"("logFile": [])",
                                   R"("logFile": "/a/../b")", R"("logFormat": "xml")", R"("logFormat": true)"}) {
    CAPTURE(member);
    const Config config = decoded(member);
    CHECK(config.settings.log == log::Settings{});
    REQUIRE(config.ignored.size() == 1);
    CHECK("\"" + config.ignored[0].key + "\"" == member.substr(0, member.find(':')));
    CHECK(config.ignored[0].message.starts_with("invalid " + member.substr(0, member.find(':'))));
  }
  const Config config = decoded(R"("logLevel": "error", "logFormat": "xml", "logFile": "x")");
  CHECK(config.settings.log == log::Settings{.level = log::Level::Error});
  CHECK(config.ignored.size() == 2);

  const log::Settings configured{log::Level::Error, log::Format::Json, {log::Place::Syslog}};
  const std::vector<std::tuple<std::string, log::Level, std::size_t>> all{
      {"loud", log::Level::Error, 1},      {"debug:two.log", log::Level::Debug, 1},
      {"debug:", log::Level::Debug, 1},    {"loud,xml:x", log::Level::Error, 3},
      {"xml,info:x", log::Level::Info, 2}, {",:syslog", log::Level::Error, 0}};
  for (const auto& [variable, level, count] : all) {
    CAPTURE(variable);
    Environment environment = kEnvironment;
    environment.log = variable;
    std::vector<Error> ignored;
    const log::Settings settings = logSettings(environment, configured, ignored);
    CHECK(settings == log::Settings{level, configured.format, configured.target});
    CHECK(ignored.size() == count);
    for (const Error& one : ignored) CHECK(one.message.find("PONS_LOG=" + variable) != std::string::npos);
  }
}

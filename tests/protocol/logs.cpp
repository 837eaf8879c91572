// Lines for people: where they go, and what they say.
#include <algorithm>
#include <filesystem>
#include <regex>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "netlib/base/unique_fd.h"

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::configWithIpam;

namespace {

const std::string kTraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

Outcome addWith(const std::string& variable, const std::string& config) {
  auto environment = environmentOf("ADD");
  environment.push_back(variable);
  return run({PONS_BINARY}, {.environment = environment, .input = config});
}

bool hasLine(const std::string& text, const std::string& pattern) {
  const bool has = std::regex_search(text, std::regex{pattern});
  if (!has) MESSAGE(text);
  return has;
}

// Who takes the datagrams of a log.
class Keeper {
 public:
  explicit Keeper(const std::string& path) : socket_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(path, address.sun_path);
    REQUIRE(bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  }
  // The next one; empty where there is none.
  std::string next() const {
    std::string entry(65536, '\0');
    const ssize_t length = recv(socket_.get(), entry.data(), entry.size(), MSG_DONTWAIT);
    entry.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    return entry;
  }

 private:
  netlib::UniqueFd socket_;
};

// A field as journald's protocol has it: name, length in 8 bytes, value.
std::string field(const std::string& name, const std::string& value) {
  const std::uint64_t length = value.size();
  return name + "\n" + std::string{reinterpret_cast<const char*>(&length), sizeof length} + value + "\n";
}

}  // namespace

TEST_CASE("The log file gets a line for each verb, and nothing of it comes to stdout or stderr") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = configWithIpam(R"("logFile": "/run/pons.log", "logLevel": "info")");
  const Outcome attached = add(network);
  resultOf(attached);
  CHECK(attached.err.empty());
  checkError(add(network), ErrorCode::AlreadyAttached);
  checkSilent(del(network));
  const std::string log = contentOf("/run/pons.log");
  const std::string subject = "container=c1 interface=eth0 netns=/run/netns/c1 network=demo";
  CHECK(hasLine(log, R"(T[\d:.]+[+]00:00 pons\[\d+\] info: ADD done verb=ADD )" + subject +
                         R"( link=pons\w+ addresses=10\.42\.0\.\d+/24 ms=\d+\.\d{3}\n)"));
  CHECK(
      hasLine(log, "error: container c1 is already attached [^\n]* verb=ADD " + subject + R"( code=100 ms=[\d.]+\n)"));
  CHECK(hasLine(log, "info: DEL done verb=DEL " + subject + R"( ms=[\d.]+\n)"));
  CHECK(std::ranges::count(log, '\n') == 3);
}

TEST_CASE("The log line of a failed ADD has the attachment, the failure, and the result of the rollback") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "-n", "c1", "link", "add", "eth0", "type", "bridge"});
  const Outcome failed =
      addWith("PONS_LOG=info",
              configWithIpam(R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]})"));
  CHECK(failed.exitCode == 1);
  CHECK(hasLine(failed.err, "info: rolled back"));
  CHECK(hasLine(failed.err,
                "error: veth pons\\w+ to eth0: [^\n]*already has an interface eth0[^\n]* verb=ADD "
                "container=c1 interface=eth0 netns=/run/netns/c1 network=demo link=pons\\w+ "
                "addresses=[0-9./]+ ports=tcp/8080>80 code=7 ms="));
}

TEST_CASE("A request that cannot be read is logged, too, on one line") {
  REQUIRE_FAKE_HOST(host);
  const Outcome failed = add(configWithIpam(R"("bridge": "a\nb")"));
  CHECK(failed.exitCode == 1);
  CHECK(std::ranges::count(failed.err, '\n') == 1);
  CHECK(hasLine(failed.err, "error: .* verb=ADD container=c1 .*code=7"));
}

TEST_CASE("At level debug the configuration and each step has its line") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Outcome attached = addWith("PONS_LOG=debug", configWithIpam(""));
  resultOf(attached);
  CHECK(hasLine(attached.err, R"(debug: \{"cniVersion".* verb=ADD)"));
  CHECK(hasLine(attached.err, R"(debug: bridge pons0 verb=ADD)"));
  CHECK(hasLine(attached.err, R"(info: ADD done)"));
}

TEST_CASE("PONS_LOG goes before the configuration: level, place or both") {
  REQUIRE_FAKE_HOST(host);
  for (const char* container : {"c1", "c2", "c3"}) host.addNamespace(container);
  const std::string network = configWithIpam(R"("logFile": "/run/one.log", "logLevel": "info")");
  const auto logs = [&](const std::string& value) {
    std::filesystem::remove("/run/one.log");
    std::filesystem::remove("/run/two.log");
    resultOf(addWith("PONS_LOG=" + value, network));
    checkSilent(del(configWithIpam(R"("logLevel": "off")")));
    return std::pair{std::filesystem::exists("/run/one.log"), std::filesystem::exists("/run/two.log")};
  };
  CHECK(logs("") == std::pair{true, false});
  CHECK(logs("error") == std::pair{false, false});
  CHECK(logs(":/run/two.log") == std::pair{false, true});
  CHECK(logs("debug:/run/two.log") == std::pair{false, true});
  for (const char* wrong : {"loud", "debug:two.log", "debug:", "debug:/run/../x"}) {
    CAPTURE(wrong);
    const Unchanged unchanged{host};
    checkError(addWith(std::string{"PONS_LOG="} + wrong, network), ErrorCode::InvalidEnvironment);
  }
}

TEST_CASE("A runtime's TRACEPARENT is in the line, as long as it is one") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = configWithIpam(R"("logLevel": "info")");
  CHECK(hasLine(addWith("TRACEPARENT=" + kTraceParent, network).err, "traceparent=" + kTraceParent));
  del(network);
  CHECK(!hasLine(addWith("TRACEPARENT=" + kTraceParent + "x", network).err, "traceparent"));
}

TEST_CASE("journald gets the line with fields that can be searched for") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Keeper journald{"/run/systemd/journal/socket"};
  const Outcome attached =
      addWith("TRACEPARENT=" + kTraceParent, configWithIpam(R"("logFile": "journal", "logLevel": "info")"));
  resultOf(attached);
  CHECK(attached.err.empty());
  const std::string entry = journald.next();
  CHECK(entry.starts_with(field("MESSAGE", "ADD done") + field("PRIORITY", "6") + field("SYSLOG_IDENTIFIER", "pons") +
                          field("PONS_VERB", "ADD") + field("PONS_CONTAINER", "c1") + field("PONS_INTERFACE", "eth0")));
  CHECK(contains(entry, field("PONS_TRACEPARENT", kTraceParent) + field("PONS_NETWORK", "demo")));
  CHECK(contains(entry, "\nPONS_MS\n"));
  CHECK(journald.next().empty());
}

TEST_CASE("syslog gets the line") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"mount", "-t", "tmpfs", "none", "/dev"});
  const Keeper syslog{"/dev/log"};
  const Outcome attached = add(configWithIpam(R"("logFile": "syslog", "logLevel": "info")"));
  resultOf(attached);
  CHECK(hasLine(syslog.next(), R"(<30>.*pons\[\d+\]: info: ADD done verb=ADD container=c1)"));
}

TEST_CASE("A log that cannot be opened refuses no container: the lines go to stderr") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  std::filesystem::create_directory("/run/directory");
  for (const char* place : {"/run/directory", "journal"}) {
    const Outcome attached = add(configWithIpam(R"("logFile": ")" + std::string{place} + R"(", "logLevel": "info")"));
    resultOf(attached);
    CHECK(hasLine(attached.err, "info: ADD done verb=ADD container=c1"));
    del(configWithIpam(""));
  }
}

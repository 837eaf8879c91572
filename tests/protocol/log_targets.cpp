// Where log lines go besides files: to journald and to syslog; and the trace of the runtime in them.
#include <algorithm>
#include <filesystem>
#include <regex>

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "netlib/base/unique_fd.h"

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"
#include "tests/support/log_lines.h"
#include "tests/support/text.h"

using namespace support;
using pons::test::configWithIpam;

namespace {

const std::string kTraceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

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

TEST_CASE("A runtime's TRACEPARENT is in the line, as long as it is one") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = configWithIpam(R"("logLevel": "info")");
  CHECK(logLines(add(network, {.more = {"TRACEPARENT=" + kTraceParent}}).err).at(0).at("traceparent") == kTraceParent);
  del(network);
  CHECK_FALSE(
      logLines(add(network, {.more = {"TRACEPARENT=" + kTraceParent + "x"}}).err).at(0).contains("traceparent"));
}

TEST_CASE("journald gets the line with fields that can be searched for") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Keeper journald{"/run/systemd/journal/socket"};
  const Outcome attached = add(configWithIpam(R"("logFile": "journal", "logLevel": "info", "logFormat": "json")"),
                               {.more = {"TRACEPARENT=" + kTraceParent}});
  resultOf(attached);
  CHECK(attached.err.empty());
  const std::string entry = journald.next();
  CHECK(entry.starts_with(field("MESSAGE", "ADD done") + field("PRIORITY", "6") + field("SYSLOG_IDENTIFIER", "pons") +
                          field("PONS_EVENT", "done") + field("PONS_VERB", "ADD") + field("PONS_CONTAINER", "c1") +
                          field("PONS_IFNAME", "eth0")));
  CHECK(contains(entry, field("PONS_TRACEPARENT", kTraceParent) + field("PONS_NETWORK", "demo")));
  CHECK(contains(entry, "\nPONS_MS\n"));
  CHECK(journald.next().empty());
}

TEST_CASE("syslog gets the line without the time, which it has already") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"mount", "-t", "tmpfs", "none", "/dev"});
  const Keeper syslog{"/dev/log"};
  for (const std::string format : {"logfmt", "json"}) {
    CAPTURE(format);
    const std::string network =
        configWithIpam(R"("logFile": "syslog", "logLevel": "info", "logFormat": ")" + format + "\"");
    resultOf(add(network));
    const std::string entry = syslog.next();
    std::smatch parts;
    REQUIRE_MESSAGE(std::regex_search(entry, parts, std::regex{R"(^<30>.*pons\[(\d+)\]: (.*)\n?$)"}), entry);
    const std::string text = parts[2];
    const LogLine line = format == "json" ? jsonLine(text) : logfmtLine(text);
    CHECK_FALSE(line.contains("time"));
    CHECK(line.at("msg") == "ADD done");
    CHECK(line.at("container") == "c1");
    CHECK(line.at("pid") == parts[1].str());
    checkSilent(del(network));
    syslog.next();
  }
}

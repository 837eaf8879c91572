// A published port on which a program of the host listens: ADD succeeds with a warning.
#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/log_lines.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

/// Members that publish port 8080 at that address, or at all without one.
std::string publishedAt(const std::string& hostIp, const std::string& protocol) {
  return R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": ")" + protocol +
         R"(", "hostIP": ")" + hostIp + R"("}]})";
}

/// Of an ADD that has to succeed: the messages of its warnings. The container is removed again.
std::vector<std::string> warningsOf(FakeHost& host, const Network& network, const std::string& members,
                                    const std::string& container = "c1") {
  host.addNamespace(container);
  const Outcome added = add(network.config(members), subjectOf(container));
  resultOf(added);
  std::vector<std::string> warnings;
  for (const LogLine& line : logLines(added.err)) {
    CHECK(line.at("level") == "warning");
    CHECK(line.at("event") == "port-shadowed");
    warnings.push_back(line.at("msg"));
  }
  checkSilent(del(network.config(), subjectOf(container)));
  host.removeNamespace("/run/netns/" + container);
  return warnings;
}

/// Whether the kernel has sock_diag for the protocol: where it has not, nothing is known of any program.
bool canAsk() { return run({"sh", "-c", "ss -Hltn && ss -Hlun"}).ok(); }

}  // namespace

TEST_CASE("A program of the host on a published port is named in a warning, one at another address or port is not") {
  if (!canAsk()) return FakeHost::countSkip("needs ss");
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  shell("ip address add 192.0.2.7/24 dev uplink; ip address add 2001:db8:1::7/64 dev uplink nodad");
  const Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  struct Case {
    std::string listener;
    std::string published;
    bool isShadowed;
  };
  for (const auto& [listener, published, isShadowed] : {Case{"0.0.0.0", "", true},
                                                        {"127.0.0.1", "", true},
                                                        {"127.0.0.1", "0.0.0.0", true},
                                                        {"127.0.0.1", "192.0.2.1", false},
                                                        {"0.0.0.0", "192.0.2.1", true},
                                                        {"192.0.2.1", "192.0.2.1", true},
                                                        {"192.0.2.7", "192.0.2.1", false},
                                                        {"::", "", true},
                                                        {"::", "::", true},
                                                        {"2001:db8:1::1", "2001:db8:1::1", true},
                                                        {"2001:db8:1::7", "2001:db8:1::1", false},
                                                        {"2001:db8:1::7", "192.0.2.1", false}}) {
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      const std::string protocol = transport == Transport::Tcp ? "tcp" : "udp";
      const std::string other = transport == Transport::Tcp ? "udp" : "tcp";
      CAPTURE(listener);
      CAPTURE(published);
      CAPTURE(protocol);
      const Server server{kHere, transport, endpoint(listener, 8080), "host"};
      const auto warnings = warningsOf(host, demo, publishedAt(published, protocol));
      CHECK(warnings.empty() != isShadowed);
      for (const std::string& warning : warnings) {
        CHECK_MESSAGE(contains(warning, "of user ID 0, listens at " + listener + " port 8080/" + protocol), warning);
      }
      CHECK(warningsOf(host, demo, publishedAt(published, other)).empty());
      CHECK(warningsOf(host, demo, publishing({{8081, 80}})).empty());
      CHECK(warningsOf(host, demo, "").empty());
    }
  }
}

TEST_CASE("Each published port with a program of the host is named once, and only for the container that has it") {
  if (!canAsk()) return FakeHost::countSkip("needs ss");
  REQUIRE_FAKE_HOST(host);
  const Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  const Server first{kHere, Transport::Tcp, endpoint("0.0.0.0", 8080), "first"};
  const Server second{kHere, Transport::Tcp, endpoint("127.0.0.1", 8082), "second"};
  host.addNamespace("inside");
  const Server inside{"/run/netns/inside", Transport::Tcp, endpoint("0.0.0.0", 8083), "in a container"};
  const auto warnings = warningsOf(host, demo, publishing({{8080, 80}, {8081, 80}, {8082, 80}, {8083, 80}}));
  REQUIRE(warnings.size() == 2);
  CHECK(contains(warnings[0], "at 0.0.0.0 port 8080/tcp"));
  CHECK(contains(warnings[1], "at 127.0.0.1 port 8082/tcp"));
  CHECK(warningsOf(host, demo, publishing({{8081, 80}}), "c2").empty());
  CHECK(warningsOf(host, demo, publishing({{8082, 80}}), "c2").size() == 1);
}

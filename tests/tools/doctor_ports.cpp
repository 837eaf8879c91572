// ponsctl doctor on a host whose programs listen on published ports.
#include <csignal>

#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "plugin/ctl/listeners.h"

#include "tests/support/attachments.h"
#include "tests/support/eventually.h"
#include "tests/support/traffic.h"
#include "tests/tools/doctor_run.h"

using namespace support;

namespace {

/// Members of a configuration that publish this port at that address; with protocol "tcp" and "udp".
std::string publishedAt(const std::string& hostIp, int port) {
  const auto mapping = [&](const std::string& protocol) {
    return R"({"hostPort": )" + std::to_string(port) + R"(, "containerPort": 80, "hostIP": ")" + hostIp +
           R"(", "protocol": ")" + protocol + R"("})";
  };
  return R"("runtimeConfig": {"portMappings": [)" + mapping("tcp") + ", " + mapping("udp") + "]}";
}

/// A process of that name with a socket that listens at 0.0.0.0.
class Holder {
 public:
  Holder(const std::string& name, std::uint16_t port) {
    const netlib::UniqueFd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_in local{};
    local.sin_family = AF_INET;
    local.sin_port = htons(port);
    REQUIRE(bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0);
    REQUIRE(listen(socket.get(), 1) == 0);
    process_.emplace([&name] {
      prctl(PR_SET_NAME, name.c_str());
      for (;;) pause();
      return 0;
    });
    const std::string comm = "/proc/" + std::to_string(process_->pid()) + "/comm";
    REQUIRE(eventually([&] { return contentOf(comm) == name + "\n"; }));
  }

  std::string pid() const { return std::to_string(process_->pid()); }

 private:
  std::optional<ForkedProcess> process_;
};

}  // namespace

TEST_CASE("A listener is replaced by a published port at an address that both have") {
  using pons::ctl::isReplaced;
  using pons::ctl::Listener;
  const auto replaced = [](const std::string& listener, const std::string& published, bool atLoopback = true) {
    const Listener at{ip(listener), 8080};
    const pons::PortForward forward{pons::Protocol::Tcp, ip(published), 8080, ip("10.42.0.2"), 80};
    return isReplaced(at, forward, atLoopback);
  };
  CHECK(replaced("0.0.0.0", "0.0.0.0"));
  CHECK(replaced("0.0.0.0", "192.0.2.1"));
  CHECK(replaced("192.0.2.1", "0.0.0.0"));
  CHECK(replaced("192.0.2.1", "192.0.2.1"));
  CHECK(!replaced("192.0.2.1", "192.0.2.2"));
  CHECK(replaced("127.0.0.1", "0.0.0.0"));
  CHECK(!replaced("127.0.0.1", "0.0.0.0", false));
  CHECK(!replaced("127.0.0.1", "192.0.2.1"));
  CHECK(!replaced("::1", "::"));
  CHECK(replaced("::", "::"));
  CHECK(!replaced("::", "0.0.0.0"));
  const pons::PortForward forward{pons::Protocol::Tcp, ip("0.0.0.0"), 8080, ip("10.42.0.2"), 80};
  CHECK(isReplaced({.address = ip("::"), .port = 8080, .isDualStack = true}, forward, true));
  CHECK(!isReplaced({.address = ip("::"), .port = 8081, .isDualStack = true}, forward, true));
}

TEST_CASE("On a host: ponsctl doctor finds programs that listen on published ports") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  shell("ip address add 192.0.2.7/24 dev uplink");
  Network demo = configured("demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})");
  demo.attach(host, "c1", publishing({{8080, 80}, {8081, 81}}));
  demo.attach(host, "c2", publishedAt("192.0.2.7", 9090));
  const std::string c3 = demo.attach(host, "c3");
  const Server elsewhere{kHere, Transport::Tcp, endpoint("0.0.0.0", 8000), "other port"};
  const Server atOther{kHere, Transport::Tcp, endpoint("192.0.2.1", 9090), "other address"};
  const Server ofProtocol{kHere, Transport::Udp, endpoint("0.0.0.0", 8080), "other protocol"};
  const Server inside{"/run/netns/c3", Transport::Tcp, endpoint(c3, 8080), "in a container"};
  {
    const Findings none;
    CHECK_MESSAGE(none.ok(), none.text());
    CHECK(none.with("published ports: no program of the host listens there").verdict == "fine");
  }
  {
    const Server everywhere{kHere, Transport::Tcp, endpoint("0.0.0.0", 8080), "all"};
    const Server ipv6{kHere, Transport::Tcp, endpoint("::", 8081), "IPv6"};
    const Server specific{kHere, Transport::Udp, endpoint("192.0.2.7", 9090), "UDP"};
    const Findings some;
    for (const std::string listener : {"0.0.0.0:8080/tcp, which container c1", "[::]:8081/tcp, which container c1",
                                       "192.0.2.7:9090/udp, which container c2"}) {
      CAPTURE(listener);
      const auto finding = some.with(") listens at " + listener + " has published");
      CHECK_MESSAGE(finding.verdict == "warning", some.text());
      CHECK(finding.what.starts_with("test_tools (PID "));
      CHECK(contains(finding.what, "connections go to the container, not to that program"));
    }
  }
  for (const std::string name : {"nerdctl", "rootlesskit"}) {
    const Holder holder{name, 8080};
    const Findings held;
    CHECK_MESSAGE(held.ok(), held.text());
    CHECK(held.with(name + " (PID " + holder.pid() + ") listens at 0.0.0.0:8080/tcp").verdict == "note");
  }
  CHECK(Findings{}.ok());
}

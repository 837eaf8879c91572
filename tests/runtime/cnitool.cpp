// Every file in conf-examples/ is added, checked, used and deleted by libcni's cnitool.
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <sys/mount.h>

#include "tests/support/fake_host.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"
#include "tests/support/vlans.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const fs::path kProject = PONS_SOURCE_DIR;
const fs::path kCnitool = kProject / "build/tools/cnitool";  // made by scripts/setup

/// What a file leads to: the container's addresses begin like these, and its port 80 is reached at those of the host.
struct Example {
  std::vector<std::string> addresses;
  std::vector<Endpoint> published;
  std::string capabilities;  ///< CAP_ARGS, in JSON
  bool reachesOut = true;
  std::string resolvConf = {};  ///< a line in the container's own file, below /run/root
  bool needsVlans = false;      ///< ADD is refused where the kernel cannot filter VLANs
};

const std::map<std::string, Example>& examples() {
  static const std::map<std::string, Example> all{
      {"minimal",
       {{"10.42.0."},
        {endpoint("192.0.2.1", 8080), endpoint("127.0.0.1", 8080)},
        R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})"}},
      {"dual-stack",
       {{"10.43.0.", "fd00:43::"},
        {endpoint("192.0.2.1", 8080), endpoint("2001:db8:1::1", 8080), endpoint("127.0.0.1", 8080)},
        R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})"}},
      {"published-ports",
       {{"10.44.0."},
        {endpoint("192.0.2.1", 8080), endpoint("192.0.2.1", 8081)},
        R"({"portMappings": [{"hostPort": 8081, "containerPort": 80, "protocol": "tcp"}]})"}},
      {"host-address", {{"10.45.0."}, {endpoint("127.0.0.1", 8080)}, ""}},
      {"static-address", {{"10.46.0.17/24"}, {}, R"({"ips": ["10.46.0.17"], "mac": "02:00:00:00:00:17"})"}},
      {"bandwidth", {{"10.48.0."}, {}, R"({"bandwidth": {"ingressRate": 50000000, "ingressBurst": 34359738359}})"}},
      {"masquerade-exclusions", {{"10.47.0.", "fd00:47::"}, {}, ""}},
      {"egress-policy", {{"10.49.0.", "fd00:49::"}, {}, ""}},
      {"internal", {{"10.50.0."}, {}, "", false}},
      {"resolv-conf", {{"10.51.0."}, {}, R"({"rootfs": "/run/root"})", true, "nameserver 192.0.2.53"}},
      {"rootless",
       {{"10.52.0."},
        {endpoint("192.0.2.1", 8080), endpoint("127.0.0.1", 8080)},
        R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})"}},
      {"several-hosts", {{"10.244.1.", "fd00:244:1:"}, {}, ""}},
      {"vlan",
       {{"10.53.0.", "fd00:53::"},
        {endpoint("192.0.2.1", 8080), endpoint("2001:db8:1::1", 8080), endpoint("127.0.0.1", 8080)},
        R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})",
        true,
        {},
        true}},
  };
  return all;
}

Outcome cnitool(const std::string& verb, const std::string& network, const Example& example) {
  const std::vector<std::string> environment{"NETCONFPATH=/run/net.d",
                                             "CNI_PATH=" + fs::path{PONS_BINARY}.parent_path().string(),
                                             "CAP_ARGS=" + example.capabilities};
  return run({kCnitool, verb, network, "/run/netns/c1"}, {.environment = environment, .input = {}});
}

void checkWorks(const Outcome& outcome) { CHECK_MESSAGE(outcome.ok(), outcome.out << outcome.err); }

/// The container's own view: libcni's result is compared with nothing but what is there.
void checkAddresses(const Example& example) {
  const std::string shown = outputOf({"ip", "-n", "c1", "-o", "address", "show", "dev", "eth0"});
  for (const std::string& address : example.addresses) {
    CHECK_MESSAGE(shown.find(" " + address) != std::string::npos, shown);
  }
}

void checkResolvConf(const std::string& line) {
  const std::string written = contentOf("/run/root/etc/resolv.conf");
  CHECK_MESSAGE((line.empty() ? written.empty() : written.find(line + "\n") != std::string::npos), written);
}

void checkTraffic(const std::string& outside, const std::string& container, const Example& example) {
  const Server web{outside, Transport::Tcp, endpoint("192.0.2.2", 443), "web"};
  const auto answered = ask(container, Transport::Tcp, endpoint("192.0.2.2", 443));
  CHECK(answered == (example.reachesOut ? std::optional<std::string>{"web 192.0.2.1"} : std::nullopt));
  const Server ipv4{container, Transport::Tcp, endpoint("0.0.0.0", 80), "container"};
  const Server ipv6{container, Transport::Tcp, endpoint("::", 80), "container"};
  for (const Endpoint& published : example.published) {
    const std::string at = published.address.toString();
    CAPTURE(at);
    const auto answer = ask(published.address.isLoopback() ? kHere : outside, Transport::Tcp, published);
    CHECK(answer.value_or("nothing").starts_with("container "));
  }
}

void tryOut(const std::string& network, const std::string& configuration, const Example& example) {
  FakeHost host;
  // libcni keeps its results below /var/lib/cni.
  REQUIRE(mount("tmpfs", "/var/lib", "tmpfs", MS_NOSUID | MS_NODEV, nullptr) == 0);
  fs::create_directory("/run/net.d");
  fs::create_directories("/run/root/etc");
  std::ofstream{"/run/net.d/" + network + ".conflist"} << configuration;
  const std::string outside = host.addOutside();
  const std::string container = host.addNamespace("c1");
  const std::string before = host.dump();

  if (example.needsVlans && !kernelFiltersVlans()) {
    const Outcome refused = cnitool("add", network, example);
    CHECK_MESSAGE(refused.err.find("CONFIG_BRIDGE_VLAN_FILTERING") != std::string::npos, refused.out << refused.err);
    CHECK(host.dump() == before);
    return FakeHost::countSkip(network + ": the kernel cannot filter VLANs");
  }
  checkWorks(cnitool("add", network, example));
  checkAddresses(example);
  checkTraffic(outside, container, example);
  checkResolvConf(example.resolvConf);
  checkWorks(cnitool("check", network, example));
  checkWorks(cnitool("del", network, example));
  CHECK(host.dump() == before);
  checkResolvConf("");
  checkWorks(cnitool("del", network, example));
  CHECK(host.dump() == before);
}

/// "10-minimal.conflist": minimal.
std::string networkOf(const fs::path& file) { return file.stem().string().substr(3); }

}  // namespace

TEST_CASE("cnitool adds, checks and deletes every example") {
  if (!FakeHost::possible() || !fs::exists(kCnitool)) return FakeHost::countSkip();
  std::size_t tried = 0;
  for (const fs::directory_entry& file : fs::directory_iterator{kProject / "conf-examples"}) {
    const std::string network = networkOf(file.path());
    CAPTURE(network);
    REQUIRE(examples().contains(network));
    tryOut(network, contentOf(file.path()), examples().at(network));
    ++tried;
  }
  CHECK(tried == examples().size());
}

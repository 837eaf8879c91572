// The programs below all runtimes, given a network namespace that pons has prepared.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtimes/machine.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

constexpr const char* kNetns = "/run/netns/town";

constexpr const char* kNetwork = R"({
  "cniVersion": "1.1.0",
  "name": "town",
  "type": "pons",
  "ipam": {"ranges": [[{"subnet": "10.93.0.0/24"}], [{"subnet": "fd00:93::/64"}]]},
  "runtimeConfig": {
    "ips": ["10.93.0.7", "fd00:93::7"],
    "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]
  }
})";

constexpr const char* kBundle = R"({
  "ociVersion": "1.0.2",
  "hostname": "town",
  "process": {"args": ["/bin/nc", "-ll", "-p", "80", "-e", "/bin/hostname"], "cwd": "/", "user": {"uid": 0, "gid": 0},
              "env": ["PATH=/bin"], "capabilities": {"bounding": ["CAP_NET_BIND_SERVICE"],
              "effective": ["CAP_NET_BIND_SERVICE"], "permitted": ["CAP_NET_BIND_SERVICE"]}},
  "root": {"path": "/run/town", "readonly": true},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
             {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
  "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"},
                           {"type": "network", "path": "/run/netns/town"}]}
})";

void call(const Machine& machine, const std::string& verb) {
  const std::vector<std::string> environment{"CNI_COMMAND=" + verb, "CNI_CONTAINERID=town",
                                             std::string{"CNI_NETNS="} + kNetns, "CNI_IFNAME=eth0",
                                             "CNI_PATH=/opt/cni/bin"};
  const Outcome outcome = machine.run({"/opt/cni/bin/pons"}, {.environment = environment, .input = kNetwork});
  REQUIRE_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

void checkServes(const std::string& program) {
  onMachine({program, "busybox"}, [&](const Machine& machine) {
    fs::create_directories("/run/bundle");
    for (const char* directory : {"proc", "dev", "sys"}) fs::create_directories(fs::path{kImageRoot} / directory);
    std::ofstream{"/run/bundle/config.json"} << kBundle;
    const std::string before = machine.state();
    machine.outputOf({"ip", "netns", "add", "town"});
    call(machine, "ADD");

    machine.outputOf({program, "run", "--detach", "--bundle", "/run/bundle", "town"});
    for (const char* address : {"10.93.0.7", "fd00:93::7"}) CHECK(answerOf(kHere, endpoint(address, 80)) == "town");
    for (const char* address : {"192.0.2.1", "2001:db8:1::1"}) {
      CHECK(answerOf(machine.outside(), endpoint(address, 8080)) == "town");
    }
    machine.outputOf({program, "delete", "--force", "town"});

    call(machine, "DEL");
    machine.outputOf({"ip", "netns", "delete", "town"});
    checkNothingLeft(machine, before);
  });
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

/// The same network for one of several containers.
void callFor(const Machine& machine, const std::string& verb, const std::string& name, std::uint16_t port) {
  const std::vector<std::string> environment{"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + name,
                                             "CNI_NETNS=/run/netns/" + name, "CNI_IFNAME=eth0",
                                             "CNI_PATH=/opt/cni/bin"};
  const std::string network =
      replaced(replaced(kNetwork, R"("ips": ["10.93.0.7", "fd00:93::7"],)", ""), "8080", std::to_string(port));
  const Outcome outcome = machine.run({"/opt/cni/bin/pons"}, {.environment = environment, .input = network});
  REQUIRE_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

void checkServeTogether(const std::string& program) {
  onMachine({program, "busybox"}, [&](const Machine& machine) {
    const Crowd crowd;
    for (const char* directory : {"proc", "dev", "sys"}) fs::create_directories(fs::path{kImageRoot} / directory);
    const std::string before = machine.state();
    for (std::size_t index = 0; index < crowd.names.size(); ++index) {
      const std::string& name = crowd.names.at(index);
      const std::string bundle = "/run/bundle-" + name;
      fs::create_directories(bundle);
      std::ofstream{bundle + "/config.json"} << replaced(
          replaced(kBundle, R"("hostname": "town")", R"("hostname": ")" + name + "\""), "netns/town", "netns/" + name);
      machine.outputOf({"ip", "netns", "add", name});
      callFor(machine, "ADD", name, Crowd::portOf(index));
      machine.outputOf({program, "run", "--detach", "--bundle", bundle, name});
    }
    crowd.check(machine, 0);
    for (std::size_t gone = 0; gone < crowd.names.size(); ++gone) {
      const std::string& name = crowd.names.at(crowd.leaving.at(gone));
      machine.outputOf({program, "delete", "--force", name});
      callFor(machine, "DEL", name, Crowd::portOf(crowd.leaving.at(gone)));
      machine.outputOf({"ip", "netns", "delete", name});
      crowd.check(machine, gone + 1);
    }
    checkNothingLeft(machine, before);
  });
}

}  // namespace

TEST_CASE("crun runs a container in a namespace that pons has prepared") { checkServes("crun"); }

TEST_CASE("runc runs a container in a namespace that pons has prepared") { checkServes("runc"); }

TEST_CASE("Five containers of crun and of runc have a published port each") {
  for (const char* program : {"crun", "runc"}) checkServeTogether(program);
}

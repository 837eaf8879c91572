// The programs below all runtimes, given a network namespace that pons has prepared.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtimes/five.h"
#include "tests/runtimes/machine.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

/// The third workload, say, has 10.93.0.13 and fd00:93::13.
std::string networkOf(const Workload& workload) {
  const std::string port = std::to_string(workload.hostPort);
  const std::string last = "1" + workload.name.substr(workload.name.size() - 1);
  return R"({
  "cniVersion": "1.1.0",
  "name": "web",
  "type": "pons",
  "ipam": {"ranges": [[{"subnet": "10.93.0.0/24"}], [{"subnet": "fd00:93::/64"}]]},
  "runtimeConfig": {
    "ips": ["10.93.0.)" +
         last + R"(", "fd00:93::)" + last + R"("],
    "portMappings": [{"hostPort": )" +
         port + R"(, "containerPort": 80, "protocol": "tcp"})" +
         (workload.hasUdp ? R"(, {"hostPort": )" + port + R"(, "containerPort": 53, "protocol": "udp"})" : "") + R"(]
  }
})";
}

std::string bundleOf(const Workload& workload) {
  return R"({
  "ociVersion": "1.0.2",
  "hostname": ")" +
         workload.name + R"(",
  "process": {"args": ["/bin/nc", "-ll", "-p", "80", "-e", "/bin/hostname"], "cwd": "/", "user": {"uid": 0, "gid": 0},
              "env": ["PATH=/bin"], "capabilities": {"bounding": ["CAP_NET_BIND_SERVICE"],
              "effective": ["CAP_NET_BIND_SERVICE"], "permitted": ["CAP_NET_BIND_SERVICE"]}},
  "root": {"path": "/run/web", "readonly": true},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
             {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
  "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"},
                           {"type": "network", "path": "/run/netns/)" +
         workload.name + R"("}]}
})";
}

void call(const Machine& machine, const std::string& verb, const Workload& workload) {
  const std::vector<std::string> environment{"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + workload.name,
                                             "CNI_NETNS=/run/netns/" + workload.name, "CNI_IFNAME=eth0",
                                             "CNI_PATH=/opt/cni/bin"};
  const Outcome outcome =
      machine.run({"/opt/cni/bin/pons"}, {.environment = environment, .input = networkOf(workload)});
  REQUIRE_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

Place start(const Machine& machine, const std::string& program, const Workload& workload) {
  const std::string bundle = "/run/bundle-" + workload.name;
  fs::create_directories(bundle);
  std::ofstream{bundle + "/config.json"} << bundleOf(workload);
  machine.outputOf({"ip", "netns", "add", workload.name});
  call(machine, "ADD", workload);
  machine.outputOf({program, "run", "--detach", "--bundle", bundle, "--pid-file", bundle + "/pid", workload.name});
  return machine.placeOf(contentOf(bundle + "/pid"));
}

void stop(const Machine& machine, const std::string& program, const Workload& workload) {
  machine.outputOf({program, "delete", "--force", workload.name});
  call(machine, "DEL", workload);
  machine.outputOf({"ip", "netns", "delete", workload.name});
}

void checkServes(const std::string& program) {
  onMachine({program, "busybox"}, [&](const Machine& machine) {
    for (const char* directory : {"proc", "dev", "sys"}) fs::create_directories(fs::path{kImageRoot} / directory);
    const StartAll startAll = [&](const std::vector<Workload>& workloads) {
      std::vector<Place> places;
      for (const Workload& workload : workloads) places.push_back(start(machine, program, workload));
      for (const char* address : {"10.93.0.13", "fd00:93::13"}) {
        CHECK(answerOf(kHere, endpoint(address, 80)) == "web3");
      }
      return places;
    };
    checkFive(machine, startAll, [&](std::size_t index) { stop(machine, program, fiveWorkloads().at(index)); });
  });
}

}  // namespace

TEST_CASE("crun runs five containers in namespaces that pons has prepared") { checkServes("crun"); }

TEST_CASE("runc runs five containers in namespaces that pons has prepared") { checkServes("runc"); }

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

/// The third guest, say, has 10.93.0.13 and fd00:93::13.
std::string networkOf(const Guest& guest) {
  const std::string port = std::to_string(guest.hostPort);
  const std::string last = "1" + guest.name.substr(guest.name.size() - 1);
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
         (guest.hasUdp ? R"(, {"hostPort": )" + port + R"(, "containerPort": 53, "protocol": "udp"})" : "") + R"(]
  }
})";
}

std::string bundleOf(const Guest& guest) {
  return R"({
  "ociVersion": "1.0.2",
  "hostname": ")" +
         guest.name + R"(",
  "process": {"args": ["/bin/nc", "-ll", "-p", "80", "-e", "/bin/hostname"], "cwd": "/", "user": {"uid": 0, "gid": 0},
              "env": ["PATH=/bin"], "capabilities": {"bounding": ["CAP_NET_BIND_SERVICE"],
              "effective": ["CAP_NET_BIND_SERVICE"], "permitted": ["CAP_NET_BIND_SERVICE"]}},
  "root": {"path": "/run/web", "readonly": true},
  "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
             {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]}],
  "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "ipc"}, {"type": "uts"},
                           {"type": "network", "path": "/run/netns/)" +
         guest.name + R"("}]}
})";
}

void call(const Machine& machine, const std::string& verb, const Guest& guest) {
  const std::vector<std::string> environment{"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + guest.name,
                                             "CNI_NETNS=/run/netns/" + guest.name, "CNI_IFNAME=eth0",
                                             "CNI_PATH=/opt/cni/bin"};
  const Outcome outcome = machine.run({"/opt/cni/bin/pons"}, {.environment = environment, .input = networkOf(guest)});
  REQUIRE_MESSAGE(outcome.ok(), outcome.out << outcome.err);
}

Place start(const Machine& machine, const std::string& program, const Guest& guest) {
  const std::string bundle = "/run/bundle-" + guest.name;
  fs::create_directories(bundle);
  std::ofstream{bundle + "/config.json"} << bundleOf(guest);
  machine.outputOf({"ip", "netns", "add", guest.name});
  call(machine, "ADD", guest);
  machine.outputOf({program, "run", "--detach", "--bundle", bundle, "--pid-file", bundle + "/pid", guest.name});
  return machine.placeOf(contentOf(bundle + "/pid"));
}

void stop(const Machine& machine, const std::string& program, const Guest& guest) {
  machine.outputOf({program, "delete", "--force", guest.name});
  call(machine, "DEL", guest);
  machine.outputOf({"ip", "netns", "delete", guest.name});
}

void checkServes(const std::string& program) {
  onMachine({program, "busybox"}, [&](const Machine& machine) {
    for (const char* directory : {"proc", "dev", "sys"}) fs::create_directories(fs::path{kImageRoot} / directory);
    const StartAll startAll = [&](const std::vector<Guest>& guests) {
      std::vector<Place> places;
      for (const Guest& guest : guests) places.push_back(start(machine, program, guest));
      for (const char* address : {"10.93.0.13", "fd00:93::13"}) {
        CHECK(answerOf(kHere, endpoint(address, 80)) == "web3");
      }
      return places;
    };
    checkFive(machine, startAll, [&](std::size_t index) { stop(machine, program, fiveGuests().at(index)); });
  });
}

}  // namespace

TEST_CASE("crun runs five containers in namespaces that pons has prepared") { checkServes("crun"); }

TEST_CASE("runc runs five containers in namespaces that pons has prepared") { checkServes("runc"); }

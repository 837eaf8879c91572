// containerd's own command, which calls the plugins by itself.
#include <functional>
#include <string>

#include <doctest/doctest.h>

#include "tests/runtimes/containerd.h"
#include "tests/runtimes/five.h"
#include "tests/runtimes/machine.h"

using namespace support;

namespace {

std::function<std::string()> logOf(const Machine& machine, const std::string& name) {
  return [&machine, name] { return machine.outputOf({"cat", "/run/" + name + ".log"}); };
}

/// ctr hands on no ports, so they are in the configuration, which it reads once for each container.
std::string publishing(std::string conflist, const Workload& workload) {
  const std::string port = std::to_string(workload.hostPort);
  const std::string udp =
      workload.hasUdp ? R"(, {"hostPort": )" + port + R"(, "containerPort": 53, "protocol": "udp"})" : "";
  const std::string ports = R"("runtimeConfig": {"portMappings": [{"hostPort": )" + port +
                            R"(, "containerPort": 80, "protocol": "tcp"})" + udp + "]}, ";
  return conflist.insert(conflist.find(R"("capabilities": {"portMappings")"), ports);
}

/// Runs in the background until it is ended.
class CtrRuns {
 public:
  CtrRuns(const Machine& machine, const Containerd& containerd) : machine_(machine), containerd_(containerd) {}

  Place start(const std::string& name) const {
    machine_.startDaemon(name, std::string{"ctr run --cni "} + kImage + " " + name +
                                   " /bin/nc -ll -p 80 -e /bin/sh -c 'echo " + name + "'; touch /run/" + name + ".end");
    std::string pid;
    waitUntil(
        "no " + name, [&] { return !(pid = containerd_.pidOf("default", name)).empty(); }, logOf(machine_, name));
    return machine_.placeOf(pid);
  }
  void end(const std::string& name) const {
    containerd_.ctr({"tasks", "kill", "--signal", "SIGKILL", name});
    const auto hasEnded = [&] { return machine_.run({"test", "-e", "/run/" + name + ".end"}).ok(); };
    waitUntil("no end of " + name, hasEnded, logOf(machine_, name));
  }

 private:
  const Machine& machine_;
  const Containerd& containerd_;
};

}  // namespace

TEST_CASE("ctr run --cni, until the container ends") {
  onEachCombination(Releases::All, [](const Machine& machine, const Combination&) {
    const Containerd containerd{machine};
    const std::string before = machine.state();

    // In the foreground, as that is where it calls DEL at the end.
    machine.startDaemon("ctr", std::string{"ctr run --cni "} + kImage + " web; touch /run/ctr.end");
    std::string pid;
    waitUntil(
        "no container", [&] { return !(pid = containerd.pidOf("default", "web")).empty(); }, logOf(machine, "ctr"));
    const auto addresses = machine.addressesOf(pid, "eth0");
    CHECK(addresses.size() == 2);
    for (const std::string& address : addresses) CHECK(answerOf(kHere, endpoint(address, 80)) != "nothing");

    containerd.ctr({"tasks", "kill", "--signal", "SIGKILL", "web"});
    waitUntil(
        "no end",
        [&] {
          return machine.run({"test", "-e", "/run/ctr.end"}).ok();
        },
        logOf(machine, "ctr"));
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("five containers of ctr run --cni") {
  onEachCombination(Releases::All, [](const Machine& machine, const Combination& combination) {
    const Containerd containerd{machine};
    const CtrRuns runs{machine, containerd};
    const StartAll startAll = [&](const std::vector<Workload>& workloads) {
      std::vector<Place> places;
      for (const Workload& workload : workloads) {
        machine.configure(combination.network, publishing(combination.conflist, workload));
        places.push_back(runs.start(workload.name));
      }
      return places;
    };
    checkFive(machine, startAll, [&](std::size_t index) { runs.end(fiveWorkloads().at(index).name); });
  });
}

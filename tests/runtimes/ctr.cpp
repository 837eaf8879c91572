// containerd's own command, which calls the plugins by itself.
#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "tests/runtimes/configurations.h"
#include "tests/runtimes/containerd.h"
#include "tests/runtimes/five.h"
#include "tests/runtimes/machine.h"

using namespace support;
using namespace std::chrono_literals;

namespace {

const std::vector<std::string> kPrograms{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"};

void waitUntil(const Machine& machine, const std::string& what, const std::function<bool()>& holds,
               const std::string& log = "ctr") {
  const auto giveUp = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < giveUp,
                    what << ": " << machine.outputOf({"cat", "/run/" + log + ".log"}));
    std::this_thread::sleep_for(50ms);
  }
}

void checkRun(const std::string& network, const std::string& conflist) {
  onMachine(kPrograms, [&](const Machine& machine) {
    machine.configure(network, conflist);
    const Containerd containerd{machine};
    const std::string before = machine.state();

    // In the foreground, as that is where it calls DEL at the end.
    machine.startDaemon("ctr", std::string{"ctr run --cni "} + kImage + " web; touch /run/ctr.end");
    std::string pid;
    waitUntil(machine, "no container", [&] { return !(pid = containerd.pidOf("default", "web")).empty(); });
    const auto addresses = machine.addressesOf(pid, "eth0");
    CHECK(addresses.size() == 2);
    for (const std::string& address : addresses) CHECK(answerOf(kHere, endpoint(address, 80)) != "nothing");

    containerd.ctr({"tasks", "kill", "--signal", "SIGKILL", "web"});
    waitUntil(machine, "no end", [&] { return machine.run({"test", "-e", "/run/ctr.end"}).ok(); });
    checkNothingLeft(machine, before);
  });
}

/// ctr hands on no ports, so they are in the configuration, which it reads once for each container.
std::string publishing(std::string conflist, const Workload& workload) {
  const std::string port = std::to_string(workload.hostPort);
  const std::string udp =
      workload.hasUdp ? R"(, {"hostPort": )" + port + R"(, "containerPort": 53, "protocol": "udp"})" : "";
  const std::string capability = R"("capabilities": {"portMappings": true})";
  const std::string ports = R"(, "runtimeConfig": {"portMappings": [{"hostPort": )" + port +
                            R"(, "containerPort": 80, "protocol": "tcp"})" + udp + "]}";
  return conflist.insert(conflist.find(capability) + capability.size(), ports);
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
        machine_, "no " + name, [&] { return !(pid = containerd_.pidOf("default", name)).empty(); }, name);
    return machine_.placeOf(pid);
  }
  void end(const std::string& name) const {
    containerd_.ctr({"tasks", "kill", "--signal", "SIGKILL", name});
    const auto hasEnded = [&] { return machine_.run({"test", "-e", "/run/" + name + ".end"}).ok(); };
    waitUntil(machine_, "no end of " + name, hasEnded, name);
  }

 private:
  const Machine& machine_;
  const Containerd& containerd_;
};

void checkFiveRuns(const std::string& network, const std::string& conflist) {
  onMachine(kPrograms, [&](const Machine& machine) {
    machine.configure(network, conflist);
    const Containerd containerd{machine};
    const CtrRuns runs{machine, containerd};
    const StartAll startAll = [&](const std::vector<Workload>& workloads) {
      std::vector<Place> places;
      for (const Workload& workload : workloads) {
        machine.configure(network, publishing(conflist, workload));
        places.push_back(runs.start(workload.name));
      }
      return places;
    };
    checkFive(machine, startAll, [&](std::size_t index) { runs.end(fiveWorkloads().at(index).name); });
  });
}

}  // namespace

TEST_CASE("five containers of ctr run --cni with containerd's own chain of plugins") {
  checkFiveRuns("containerd-net", kContainerdChain);
}

TEST_CASE("five containers of ctr run --cni with one plugin") { checkFiveRuns("one-plugin", kOnePlugin); }

TEST_CASE("ctr run --cni with containerd's own chain of plugins") { checkRun("containerd-net", kContainerdChain); }

TEST_CASE("ctr run --cni with one plugin") { checkRun("one-plugin", kOnePlugin); }

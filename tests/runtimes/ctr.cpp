// containerd's own command, which calls the plugins by itself.
#include <chrono>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "tests/runtimes/configurations.h"
#include "tests/runtimes/containerd.h"
#include "tests/runtimes/machine.h"

using namespace support;
using namespace std::chrono_literals;

namespace {

void waitUntil(const Machine& machine, const std::string& what, const std::function<bool()>& holds) {
  const auto giveUp = std::chrono::steady_clock::now() + 20s;
  while (!holds()) {
    REQUIRE_MESSAGE(std::chrono::steady_clock::now() < giveUp,
                    what << ": " << machine.outputOf({"cat", "/run/ctr.log"}));
    std::this_thread::sleep_for(50ms);
  }
}

void checkRun(const std::string& network, const std::string& conflist) {
  onMachine({"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"}, [&](const Machine& machine) {
    machine.configure(network, conflist);
    const Containerd containerd{machine};
    const std::string before = machine.state();

    // In the foreground, as that is where it calls DEL at the end.
    machine.startDaemon("ctr", std::string{"ctr run --cni "} + kImage + " town; touch /run/ctr.end");
    std::string pid;
    waitUntil(machine, "no container", [&] { return !(pid = containerd.pidOf("default", "town")).empty(); });
    const auto addresses = machine.addressesOf(pid, "eth0");
    CHECK(addresses.size() == 2);
    for (const std::string& address : addresses) CHECK(answerOf(kHere, endpoint(address, 80)) != "nothing");

    containerd.ctr({"tasks", "kill", "--signal", "SIGKILL", "town"});
    waitUntil(machine, "no end", [&] { return machine.run({"test", "-e", "/run/ctr.end"}).ok(); });
    checkNothingLeft(machine, before);
  });
}

}  // namespace

TEST_CASE("ctr run --cni with containerd's own chain of plugins") { checkRun("containerd-net", kContainerdChain); }

TEST_CASE("ctr run --cni with one plugin") { checkRun("one-plugin", kOnePlugin); }

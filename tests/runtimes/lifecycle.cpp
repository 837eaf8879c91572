// What happens to a runtime and its configuration while pods run: restarts, crashes, a reboot, another conflist.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtimes/containerd.h"
#include "tests/runtimes/machine.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

using Pod = Containerd::Pod;

const std::string kReached = "/run/gate.reached";
const std::string kClosed = "/run/gate.closed";

/// A chained plugin that holds an ADD up while /run/gate.closed exists.
constexpr const char* kGate = R"(#!/bin/sh
config=$(cat)
[ "$CNI_COMMAND" = ADD ] || exit 0
touch /run/gate.reached
while [ -e /run/gate.closed ]; do sleep 0.02; done
echo "$config" | jq .prevResult
)";

std::string answerAt(const Machine& machine, std::uint16_t hostPort) {
  return answerOf(machine.outside(), endpoint("192.0.2.1", hostPort));
}

bool isClosed(const Machine& machine, std::uint16_t hostPort) {
  return !ask(machine.outside(), Transport::Tcp, endpoint("192.0.2.1", hostPort),
              {.source = {}, .timeout = std::chrono::milliseconds{200}});
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  return text.replace(text.find(what), what.size(), with);
}

void installGate(const Machine& machine, const Combination& combination) {
  std::ofstream{"/opt/cni/bin/gate"} << kGate;
  fs::permissions("/opt/cni/bin/gate", fs::perms{0755});
  std::string conflist = combination.conflist;
  machine.configure(combination.network, conflist.insert(conflist.rfind(']'), R"(, {"type": "gate"})"));
  std::ofstream{kClosed};
}

void killInMidStart(const Machine& machine, const Containerd& containerd) {
  containerd.beginPod("first", {"8080:80/"});
  waitUntil(
      "no ADD", [] { return fs::exists(kReached); },
      [&] {
        return machine.outputOf({"cat", "/run/first.log", "/run/containerd.log"});
      });
  containerd.kill();
  fs::remove(kClosed);
  containerd.start();
  containerd.clear();
}

}  // namespace

TEST_CASE("pods of containerd outlive it, and are stopped by the next one, twice") {
  onEachCombination(Releases::All, [](const Machine& machine, const Combination&) {
    const Containerd containerd{machine};
    const std::string before = machine.state();
    const std::vector<Pod> pods = containerd.runPods({{"first", {"8080:80/"}}, {"second", {"8081:80/"}}});
    containerd.restart();
    CHECK(answerAt(machine, 8080) == "first");
    const Pod third = containerd.runPod("third", {"8082:80/"});
    containerd.kill();
    CHECK(answerAt(machine, 8081) == "second");
    containerd.start();
    CHECK(answerAt(machine, 8082) == "third");
    const std::string refusal = containerd.refusalOf("fourth", {"8081:80/"});
    CHECK_MESSAGE((otherPlugins() || refusal.find("host port 8081/tcp") != std::string::npos), refusal);

    containerd.stop({pods[1]});
    containerd.stop({pods[1]});
    CHECK(isClosed(machine, 8081));
    CHECK(answerAt(machine, 8080) == "first");
    containerd.clear();
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("containerd is killed while a pod is started: nothing is left of the pod, and another one gets its port") {
  onEachCombination(Releases::All, [](const Machine& machine, const Combination& combination) {
    installGate(machine, combination);
    const Containerd containerd{machine};
    const std::string before = machine.state();
    killInMidStart(machine, containerd);
    checkNothingLeft(machine, before);

    const Pod again = containerd.runPod("again", {"8080:80/"});
    CHECK(answerAt(machine, 8080) == "again");
    containerd.stop({again});
    containerd.remove({again});
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("containerd stops pods by the configuration of today") {
  onEachCombination(allIfLong(), [](const Machine& machine, const Combination& combination) {
    const Containerd containerd{machine};
    const std::string before = machine.state();
    Pod first = containerd.runPod("first", {"8080:80/", "ingress=8M"});
    machine.configure(combination.network,
                      replaced(combination.conflist, R"("portMappings": true)", R"("portMappings": false)"));
    containerd.restart();
    containerd.stop({first});
    containerd.remove({first});
    CHECK(isClosed(machine, 8080));
    checkNothingLeft(machine, before);

    // Under another name DEL finds nothing, and the port is free nevertheless, once it is another pod's turn.
    machine.configure(combination.network, combination.conflist);
    containerd.restart();
    first = containerd.runPod("first", {"8080:80/"});
    machine.configure("pods", replaced(combination.conflist, combination.network, "pods"));
    containerd.restart();
    containerd.stop({first});
    containerd.remove({first});
    const Pod second = containerd.runPod("second", {"8080:80/"});
    CHECK(answerAt(machine, 8080) == "second");
    containerd.stop({second});
    containerd.remove({second});
    if (!otherPlugins()) machine.outputOf({PONSCTL_BINARY, "gc", "--delete"});
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("pods of containerd of before a reboot are stopped, and others take their place") {
  onEachCombination(allIfLong(), [](const Machine& machine, const Combination&) {
    const Containerd containerd{machine};
    const std::string before = machine.state();
    const std::vector<Pod> pods = containerd.runPods({{"first", {"8080:80/"}}, {"second", {"8081:80/"}}});
    machine.reboot();
    containerd.start();
    const Pod third = containerd.runPod("third", {"8080:80/"});
    CHECK(answerAt(machine, 8080) == "third");
    containerd.stop(pods);
    containerd.remove(pods);
    CHECK(answerAt(machine, 8080) == "third");
    containerd.clear();
    checkNothingLeft(machine, before);
  });
}

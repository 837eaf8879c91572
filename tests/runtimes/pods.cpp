// Pods of containerd, created over CRI as by kubelet.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "tests/runtimes/containerd.h"
#include "tests/runtimes/five.h"
#include "tests/runtimes/machine.h"

using namespace support;

namespace {

using Pod = Containerd::Pod;

const std::vector<Endpoint> kHostPorts{endpoint("192.0.2.1", 8080), endpoint("2001:db8:1::1", 8080)};

/// The pod of that name answers from everywhere, by its own addresses and by the host's.
void checkServed(const std::string& name, const Pod& pod, const Pod& neighbour, const Place& outside) {
  CHECK(pod.addresses.size() == 2);
  for (const std::string& address : pod.addresses) {
    CAPTURE(address);
    CHECK(answerOf(kHere, endpoint(address, 80)) == name);
    CHECK(answerOf(neighbour.place, endpoint(address, 80)) == name);
  }
  for (const Endpoint& published : kHostPorts) {
    CAPTURE(published.address.toString());
    CHECK(answerOf(outside, published) == name);
    CHECK(answerOf(kHere, published) == name);
    CHECK(answerOf(neighbour.place, published) == name);
  }
  CHECK(answerOf(kHere, endpoint("127.0.0.1", 8080)) == name);
}

void checkReachesItself(const std::string& name, const Pod& pod) {
  for (const Endpoint& published : kHostPorts) {
    CAPTURE(published.address.toString());
    CHECK(answerOf(pod.place, published) == name);
  }
}

void setBridgeFiltering(const std::string& value) {
  for (const char* name : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
    REQUIRE(netlib::sysctl::write(name, value).ok());
  }
}

/// containerd's configuration relies on promiscMode, which does not lead back what br_netfilter translates while it is
/// still on the bridge. That is so with the reference plugins, too.
void checkReachesItselfByPromiscMode(const std::string& name, const Pod& pod) {
  setBridgeFiltering("0");
  checkReachesItself(name, pod);
  setBridgeFiltering("1");
}

/// Traffic to other hosts has the host's source address.
void checkWayOut(const Pod& pod, const Place& outside) {
  for (const auto& [there, host] : {std::pair{"192.0.2.2", "192.0.2.1"}, {"2001:db8:1::2", "2001:db8:1::1"}}) {
    const Server web{outside, Transport::Tcp, endpoint(there, 443), "web"};
    CHECK(answerOf(pod.place, endpoint(there, 443)) == std::string{"web "} + host);
  }
}

void checkClosed(const Place& outside) {
  for (const Endpoint& published : kHostPorts)
    CHECK(!ask(outside, Transport::Tcp, published, {.source = {}, .timeout = std::chrono::milliseconds{200}}));
}

std::vector<std::string> portsOf(const Workload& workload) {
  const std::string port = std::to_string(workload.hostPort);
  std::vector<std::string> ports{port + ":80/"};
  if (workload.hasUdp) ports.push_back(port + ":53//udp");
  return ports;
}

enum class Start : std::uint8_t { AtOnce, InTurn };

void checkFivePods(const Machine& machine, Start start) {
  const Containerd containerd{machine};
  std::vector<Pod> pods;
  const StartAll startAll = [&](const std::vector<Workload>& workloads) {
    std::vector<std::pair<std::string, std::vector<std::string>>> wanted;
    for (const Workload& workload : workloads) {
      wanted.emplace_back(workload.name, portsOf(workload));
      if (start == Start::InTurn) pods.push_back(containerd.runPod(workload.name, portsOf(workload)));
    }
    if (start == Start::AtOnce) pods = containerd.runPods(wanted);
    std::vector<Place> places;
    for (const Pod& pod : pods) places.push_back(pod.place);
    return places;
  };
  checkFive(machine, startAll, [&](std::size_t index) {
    containerd.stop({pods.at(index)});
    containerd.remove({pods.at(index)});
  });
}

}  // namespace

TEST_CASE("five pods of containerd, started at once") {
  onEachCombination(Releases::All,
                    [](const Machine& machine, const Combination&) { checkFivePods(machine, Start::AtOnce); });
}

TEST_CASE("five pods of containerd, started one after the other") {
  onEachCombination(allIfLong(),
                    [](const Machine& machine, const Combination&) { checkFivePods(machine, Start::InTurn); });
}

TEST_CASE("containerd's pods have all that its own chain of plugins promises") {
  onEachCombination(Releases::All, [](const Machine& machine, const Combination& combination) {
    const Containerd containerd{machine};
    const std::string before = machine.state();

    const Pod first = containerd.runPod("first", {"8080:80/"});
    const Pod second = containerd.runPod("second");
    checkServed("first", first, second, machine.outside());
    combination.isChain ? checkReachesItselfByPromiscMode("first", first) : checkReachesItself("first", first);
    checkWayOut(first, machine.outside());

    containerd.stop({first});
    checkClosed(machine.outside());
    checkWayOut(second, machine.outside());
    const Pod third = containerd.runPod("third", {"8080:80/"});
    checkServed("third", third, second, machine.outside());

    containerd.stop({second, third});
    containerd.remove({first, second, third});
    checkNothingLeft(machine, before);
  });
}

// Pods of containerd, asked for as kubelet does.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtimes/configurations.h"
#include "tests/runtimes/containerd.h"
#include "tests/runtimes/machine.h"

using namespace support;

namespace {

using Pod = Containerd::Pod;

const std::vector<std::string> kPrograms{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "busybox"};
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
    CHECK(answerOf(pod.place, published) == name);
  }
  CHECK(answerOf(kHere, endpoint("127.0.0.1", 8080)) == name);
}

/// What leaves the host bears the host's address.
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

void checkPods(const std::string& network, const std::string& conflist) {
  onMachine(kPrograms, [&](const Machine& machine) {
    machine.configure(network, conflist);
    const Containerd containerd{machine};
    const std::string before = machine.state();

    const Pod first = containerd.runPod("first", {"8080:80/"});
    const Pod second = containerd.runPod("second");
    checkServed("first", first, second, machine.outside());
    checkWayOut(first, machine.outside());

    containerd.stopPod(first);
    checkClosed(machine.outside());
    checkWayOut(second, machine.outside());
    const Pod third = containerd.runPod("third", {"8080:80/"});
    checkServed("third", third, second, machine.outside());

    for (const Pod& pod : {second, third}) containerd.stopPod(pod);
    for (const Pod& pod : {first, second, third}) containerd.removePod(pod);
    checkNothingLeft(machine, before);
  });
}

}  // namespace

TEST_CASE("containerd's pods have all that its own chain of plugins promises") {
  checkPods("containerd-net", kContainerdChain);
}

TEST_CASE("containerd's pods have the same from one plugin") { checkPods("one-plugin", kOnePlugin); }

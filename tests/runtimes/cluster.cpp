// What kubelet does to containerd on a busy node: many pods at once, rates, and questions whether the network is ready.
#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/runtimes/containerd.h"
#include "tests/runtimes/machine.h"
#include "tests/support/log_lines.h"
#include "tests/support/text.h"

using namespace support;
using namespace std::chrono_literals;

namespace {

using Pod = Containerd::Pod;

std::size_t callsOf(const std::string& verb) {
  const std::vector<LogLine> lines = logLines(contentOf(kCallLog));
  return static_cast<std::size_t>(std::ranges::count_if(lines, [&verb](const LogLine& line) {
    const auto found = line.find("verb");
    return found != line.end() && found->second == verb;
  }));
}

void collectGarbage(const Machine& machine, const std::string& network, const std::vector<Pod>& valid) {
  std::vector<std::string> command{"/usr/bin/python3", std::string{PONS_SOURCE_DIR} + "/tests/runtimes/gc.py",
                                   "/etc/cni/net.d/10-" + network + ".conflist"};
  for (const Pod& pod : valid) command.push_back(pod.id);
  machine.outputOf(command);
}

}  // namespace

TEST_CASE("thirty pods of containerd, started and ended at once, each with its port") {
  const int count = 30;
  onEachCombination(allIfLong(), [&](const Machine& machine, const Combination&) {
    const Containerd containerd{machine};
    const std::string before = machine.state();
    std::vector<std::pair<std::string, std::vector<std::string>>> wanted;
    for (int number = 0; number < count; ++number) {
      wanted.emplace_back("web" + std::to_string(number), std::vector{std::to_string(8100 + number) + ":80/"});
    }
    const std::vector<Pod> pods = containerd.runPods(wanted);
    for (int number = 0; number < count; ++number) {
      for (const char* address : {"192.0.2.1", "2001:db8:1::1"}) {
        const auto port = static_cast<std::uint16_t>(8100 + number);
        CHECK(answerOf(machine.outside(), endpoint(address, port)) == "web" + std::to_string(number));
      }
    }
    containerd.clear();
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("containerd sends the rates of a pod with bursts of 4 GB: both directions are limited all the same") {
  onEachCombination(allIfLong(), [](const Machine& machine, const Combination&) {
    const Containerd containerd{machine};
    const std::string before = machine.state();
    const Pod pod = containerd.runPod("limited", {"8080:80/", "ingress=20M", "egress=20M"});
    CHECK(answerOf(machine.outside(), endpoint("192.0.2.1", 8080)) == "limited");
    const std::string address = pod.addresses.front();
    for (const auto& [from, to, destination] :
         {std::tuple{kHere, pod.place, endpoint(address, 5001)},
          std::tuple{pod.place, Place{machine.outside()}, endpoint("192.0.2.2", 5001)}}) {
      const double rate = bitsPerSecond({from, to, destination, 300ms, 900ms});
      CHECK(rate > 10e6);
      CHECK(rate < 24e6);
    }
    containerd.stop({pod});
    containerd.remove({pod});
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("containerd calls STATUS, which restores what a flush of the rules removed") {
  onEachCombination(Releases::Newest, [](const Machine& machine, const Combination& combination) {
    const Containerd containerd{machine};
    const std::string before = machine.state();
    const Pod pod = containerd.runPod("web", {"8080:80/"});
    if (combination.isChain || otherPlugins()) {  // of version 1.0.0
      CHECK(callsOf("STATUS") == 0);
    } else {
      CHECK(callsOf("STATUS") > 0);
      machine.outputOf({"nft", "flush", "ruleset"});
      CHECK(containerd.conditions().find("NetworkReady true") != std::string::npos);
      CHECK(answerOf(machine.outside(), endpoint("192.0.2.1", 8080)) == "web");
    }
    containerd.stop({pod});
    containerd.remove({pod});
    checkNothingLeft(machine, before);
  });
}

TEST_CASE("GC leaves the pods of containerd that are valid, and ends the others") {
  onEachCombination(Releases::Newest, [](const Machine& machine, const Combination& combination) {
    if (otherPlugins()) return;
    const Containerd containerd{machine};
    const std::string before = machine.state();
    const std::vector<Pod> pods =
        containerd.runPods({{"first", {"8080:80/"}}, {"second", {"8081:80/"}}, {"third", {"8082:80/"}}});
    collectGarbage(machine, combination.network, pods);
    for (const auto& [port, name] : {std::pair{8080, "first"}, {8081, "second"}, {8082, "third"}}) {
      CHECK(answerOf(machine.outside(), endpoint("192.0.2.1", static_cast<std::uint16_t>(port))) == name);
    }
    collectGarbage(machine, combination.network, {pods[0], pods[2]});
    CHECK(answerOf(machine.outside(), endpoint("192.0.2.1", 8082)) == "third");
    CHECK(!ask(machine.outside(), Transport::Tcp, endpoint("192.0.2.1", 8081), {.source = {}, .timeout = 200ms}));
    containerd.clear();
    checkNothingLeft(machine, before);
  });
}

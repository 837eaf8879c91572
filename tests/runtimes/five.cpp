#include "tests/runtimes/five.h"

#include <iterator>
#include <list>
#include <optional>

#include <doctest/doctest.h>

namespace support {
namespace {

constexpr const char* kHost = "192.0.2.1";

/// A workload and its UDP server: the image has none, the test serves in its namespace.
struct RunningWorkload {
  Workload workload;
  std::optional<Server> udp;
  bool isRunning = true;

  RunningWorkload(const Workload& which, const Place& place) : workload(which) {
    if (workload.hasUdp) udp.emplace(place, Transport::Udp, endpoint("0.0.0.0", 53), workload.name);
  }
};

void checkAnswers(const Machine& machine, const Workload& workload) {
  CHECK(answerOf(machine.outside(), endpoint(kHost, workload.hostPort)) == workload.name);
  CHECK(answerOf(machine.outside(), endpoint("2001:db8:1::1", workload.hostPort)) == workload.name);
  CHECK(answerOf(kHere, endpoint("127.0.0.1", workload.hostPort)) == workload.name);
  if (!workload.hasUdp) return;
  const auto answer = ask(machine.outside(), Transport::Udp, endpoint(kHost, workload.hostPort));
  CHECK(answer == workload.name + " 192.0.2.2");
}

void checkClosed(const Machine& machine, const Workload& workload) {
  const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{200}};
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    CHECK(!ask(machine.outside(), transport, endpoint(kHost, workload.hostPort), quickly));
  }
}

void checkAll(const Machine& machine, const std::list<RunningWorkload>& running) {
  for (const RunningWorkload& one : running) {
    CAPTURE(one.workload.name);
    one.isRunning ? checkAnswers(machine, one.workload) : checkClosed(machine, one.workload);
  }
}

}  // namespace

std::vector<Workload> fiveWorkloads() {
  return {
      {"web1", 8101, true}, {"web2", 8102, false}, {"web3", 8103, true}, {"web4", 8104, false}, {"web5", 8105, false}};
}

void checkFive(const Machine& machine, const StartAll& startAll, const Stop& stop) {
  const std::string before = machine.state();
  const std::vector<Workload> workloads = fiveWorkloads();
  const std::vector<Place> places = startAll(workloads);
  REQUIRE(places.size() == workloads.size());
  std::list<RunningWorkload> running;
  for (std::size_t i = 0; i < workloads.size(); ++i) running.emplace_back(workloads[i], places[i]);
  checkAll(machine, running);
  for (const std::size_t index : {2U, 0U, 4U, 1U, 3U}) {
    INFO("after the end of ", workloads[index].name);
    RunningWorkload& one = *std::next(running.begin(), static_cast<std::ptrdiff_t>(index));
    // Or it would keep the namespace.
    one.udp.reset();
    stop(index);
    one.isRunning = false;
    checkAll(machine, running);
  }
  checkNothingLeft(machine, before);
}

}  // namespace support

// Rate limits, measured: what a container receives and sends by TCP.
#include <algorithm>
#include <functional>

#include <doctest/doctest.h>

#include "tests/runtime/topology.h"

using namespace support;

namespace {

constexpr double kMegabit = 1e6;
constexpr std::uint16_t kPort = 5001;

// Towards the container at `address`, and from it to the host.
double ingressOf(const std::string& container, const std::string& address) {
  return bitsPerSecond({.from = kHere, .to = pathOf(container), .destination = endpoint(address, kPort)});
}
double egressOf(const std::string& container, const std::string& gateway) {
  return bitsPerSecond({.from = pathOf(container), .to = kHere, .destination = endpoint(gateway, kPort)});
}

// On a busy machine a sender may not come to what it is allowed, but never to more.
void checkWithinTenPercent(double rate, const std::function<double()>& measure) {
  double best = 0;
  for (int time = 0; time < 5 && best <= 0.9 * rate; ++time) {
    best = std::max(best, measure());
    MESSAGE("measured at best " << best / kMegabit << " of " << rate / kMegabit << " Mbit/s");
    CHECK(best < 1.1 * rate);
  }
  CHECK(best > 0.9 * rate);
}

std::string limits(const std::string& members) { return R"("bandwidth": {)" + members + "}"; }

}  // namespace

TEST_CASE("A container receives and sends at its rates with containerd's burst, and its neighbour is not limited") {
  inTopology([](Topology& topology) {
    const Addresses& ipv4 = addressesOf(netlib::Family::Ipv4);
    const Addresses& ipv6 = addressesOf(netlib::Family::Ipv6);
    topology.attach("a", ipsOf(ipv4.a, ipv6.a) + ", " + limits(R"("IngressRate": 20000000, "IngressBurst": 4294967295,
                                   "EgressRate": 40000000, "EgressBurst": 4294967295)"));
    topology.attach("b", ipsOf(ipv4.b, ipv6.b));
    checkWithinTenPercent(20 * kMegabit, [&] { return ingressOf("a", ipv4.a); });
    checkWithinTenPercent(40 * kMegabit, [&] { return egressOf("a", ipv6.gateway); });
    const double free = bitsPerSecond({.from = kHere,
                                       .to = pathOf("b"),
                                       .destination = endpoint(ipv4.b, kPort),
                                       .after = std::chrono::milliseconds{0},
                                       .measured = std::chrono::milliseconds{200}});
    CHECK(free > 100 * kMegabit);
    topology.del("a");
    topology.del("b");
    CHECK(!run({"sh", "-c", "ip link show type ifb | grep -q ponsr"}).ok());
  });
}

TEST_CASE("One direction is limited without the other") {
  inTopology([](Topology& topology) {
    const Addresses& ipv4 = addressesOf(netlib::Family::Ipv4);
    topology.members = R"(, "bandwidth": {"egressRate": 10000000})";
    topology.attach("a", ipsOf(ipv4.a, addressesOf(netlib::Family::Ipv6).a));
    checkWithinTenPercent(10 * kMegabit, [&] { return egressOf("a", ipv4.gateway); });
    const double free = bitsPerSecond({.from = kHere,
                                       .to = pathOf("a"),
                                       .destination = endpoint(ipv4.a, kPort),
                                       .after = std::chrono::milliseconds{0},
                                       .measured = std::chrono::milliseconds{200}});
    CHECK(free > 100 * kMegabit);
  });
}

#include "tests/runtime/topology.h"

#include <vector>

#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

namespace support {
namespace {

using netlib::Family;

const std::string kIpam = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00:42::/64"}]]})";

// br_netfilter: whether bridged packets pass the iptables hooks. Distributions have different defaults.
void setBridgeFiltering(const std::string& value) {
  for (const char* name : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
    REQUIRE(netlib::sysctl::write(name, value).ok());
  }
}

const char* nameOf(Transport transport) { return transport == Transport::Tcp ? "TCP" : "UDP"; }

Outcome call(const std::string& verb, const std::string& container, const std::string& netns,
             const std::string& members, const std::string& network = "topology") {
  const std::vector<std::string> environment{"CNI_COMMAND=" + verb, "CNI_CONTAINERID=" + container,
                                             "CNI_NETNS=" + netns, "CNI_IFNAME=eth0", "CNI_PATH=/"};
  return run({PONS_BINARY},
             {.environment = environment,
              .input = R"({"cniVersion": "1.1.0", "name": ")" + network + R"(", "type": "pons", )" + members + "}"});
}

}  // namespace

const Addresses& addressesOf(Family family) {
  static const Addresses ipv4{Family::Ipv4, "192.0.2.1",  "192.0.2.2", "10.42.0.1",
                              "10.42.0.10", "10.42.0.11", "0.0.0.0"};
  static const Addresses ipv6{
      Family::Ipv6, "2001:db8:1::1", "2001:db8:1::2", "fd00:42::1", "fd00:42::10", "fd00:42::11", "::"};
  return family == Family::Ipv4 ? ipv4 : ipv6;
}

std::string ipsOf(const std::string& ipv4, const std::string& ipv6) {
  return R"("ips": [")" + ipv4 + R"(", ")" + ipv6 + R"("])";
}

std::string publishing(const std::string& hostAddress) {
  std::string mappings;
  for (const char* protocol : {"tcp", "udp"}) {
    mappings += std::string{mappings.empty() ? "" : ", "} + R"({"hostPort": 8080, "containerPort": 80, "protocol": ")" +
                protocol + R"(", "hostIP": ")" + hostAddress + R"("})";
  }
  return R"("portMappings": [)" + mappings + "]";
}

std::string Topology::attach(const std::string& container, const std::string& runtimeConfig) {
  host.addNamespace(container);
  const Outcome added = add(container, runtimeConfig);
  REQUIRE_MESSAGE(added.ok(), added.out << added.err);
  return pathOf(container);
}

void Topology::attachBoth() {
  const Addresses& ipv4 = addressesOf(Family::Ipv4);
  const Addresses& ipv6 = addressesOf(Family::Ipv6);
  serve(attach("a", ipsOf(ipv4.a, ipv6.a) + ", " + publishing()), kContainerPort, "a");
  attach("b", ipsOf(ipv4.b, ipv6.b));
}

Outcome Topology::add(const std::string& container, const std::string& runtimeConfig) {
  return call("ADD", container, pathOf(container), kIpam + members + R"(, "runtimeConfig": {)" + runtimeConfig + "}");
}

void Topology::del(const std::string& container) {
  // As from a runtime without netns and configuration.
  const Outcome deleted = call("DEL", container, "", R"("ipam": {})");
  REQUIRE_MESSAGE(deleted.ok(), deleted.out << deleted.err);
}

std::string Topology::attachElsewhere(const std::string& container, const std::string& ingressPolicy,
                                      const std::string& more) {
  host.addNamespace(container);
  const std::string config =
      R"("bridge": "pons1", "ipam": {"ranges": [[{"subnet": "10.43.0.0/24"}], [{"subnet": "fd00:43::/64"}]]},)"
      R"( "runtimeConfig": {"ips": ["10.43.0.2", "fd00:43::2"]}, "ingressPolicy": ")" +
      ingressPolicy + "\"" + more;
  const Outcome added = call("ADD", container, pathOf(container), config, "elsewhere");
  REQUIRE_MESSAGE(added.ok(), added.out << added.err);
  return pathOf(container);
}

void Topology::delElsewhere(const std::string& container) {
  const Outcome deleted = call("DEL", container, "", R"("ipam": {})", "elsewhere");
  REQUIRE_MESSAGE(deleted.ok(), deleted.out << deleted.err);
}

void Topology::serve(const Place& place, std::uint16_t port, const std::string& label) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    serveAt(place, endpoint(addressesOf(family).any, port), label);
  }
}

void Topology::serveAt(const Place& place, const Endpoint& local, const std::string& label) {
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    servers.emplace_back(place, transport, local, label);
  }
}

void forEachWay(const std::function<void(Topology& topology, const Way& way)>& work) {
  for (const std::string filtering : {"0", "1"}) {
    CAPTURE(filtering);
    inTopology([&](Topology& topology) {
      setBridgeFiltering(filtering);
      topology.attachBoth();
      for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
          INFO(netlib::nameOf(family), " ", nameOf(transport));
          work(topology, {transport, addressesOf(family)});
        }
      }
    });
  }
}

void inTopology(const std::function<void(Topology& topology)>& work) {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  Topology topology;
  work(topology);
}

}  // namespace support

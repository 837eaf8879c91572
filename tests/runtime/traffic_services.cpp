// Beside published ports: what others translate keeps its source addresses, ::1 is the host's own, and flows end with
// the port that they came by.
#include <doctest/doctest.h>

#include "tests/runtime/topology.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;

namespace {

constexpr std::uint16_t kServicePort = 8000;
const std::string kService = "10.96.0.10";

/// What kube-proxy makes for a service of ClusterIP: DNAT before routing, here for the port to one pod. Its mark to
/// masquerade is for what comes from outside of the pods' range.
std::string serviceRules(const std::string& mode, const std::string& pod) {
  const std::string from = kService + ":" + std::to_string(kServicePort);
  if (mode == "nftables") {
    return "nft 'table ip kube-proxy { chain services { ip daddr " + kService + " tcp dport " +
           std::to_string(kServicePort) + " dnat to " + pod +
           ":80; };"
           " chain nat-prerouting { type nat hook prerouting priority dstnat; jump services; };"
           " chain nat-output { type nat hook output priority -100; jump services; }; }'";
  }
  return "iptables-nft -t nat -N KUBE-SERVICES; iptables-nft -t nat -A PREROUTING -j KUBE-SERVICES;"
         "iptables-nft -t nat -A OUTPUT -j KUBE-SERVICES;"
         "iptables-nft -t nat -A KUBE-SERVICES -d " +
         kService + " -p tcp --dport " + std::to_string(kServicePort) + " -j DNAT --to-destination " + pod + ":80";
}

}  // namespace

TEST_CASE(
    "A foreign service load balancer keeps the client's source address with published ports of pons on the host") {
  for (const std::string mode : {"iptables", "nftables"}) {
    for (const std::string masquerade : {"true", "false"}) {
      inTopology([&](Topology& topology) {
        CAPTURE(mode);
        CAPTURE(masquerade);
        topology.members = ", \"ipMasq\": " + masquerade;
        topology.attachBoth();
        const Addresses& v4 = addressesOf(netlib::Family::Ipv4);
        outputOf({"sh", "-ec", serviceRules(mode, v4.a)});
        // As Kubernetes requires it: without, the answer would not come by the host.
        outputOf({"sysctl", "-qw", "net.bridge.bridge-nf-call-iptables=1"});
        const auto seen = ask(pathOf("b"), Transport::Tcp, endpoint(kService, kServicePort));
        CHECK(seen.value_or("") == "a " + v4.b);
        // Its own published port is another matter: masqueraded, with br_netfilter and without.
        for (const char* filtered : {"1", "0"}) {
          outputOf({"sysctl", "-qw", std::string{"net.bridge.bridge-nf-call-iptables="} + filtered});
          CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(v4.host, kHostPort)).value_or("") == "a " + v4.gateway);
        }
      });
    }
  }
}

TEST_CASE("[::1] is left to the host's own programs: a connection there is refused at once, or reaches them") {
  inTopology([](Topology& topology) {
    topology.attachBoth();
    const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{800}};
    const auto begun = std::chrono::steady_clock::now();
    CHECK(!ask(kHere, Transport::Tcp, endpoint("::1", kHostPort), quickly));
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::milliseconds{500});
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      const Server own{kHere, transport, endpoint("::1", kHostPort), "host"};
      CHECK(ask(kHere, transport, endpoint("::1", kHostPort), quickly).value_or("") == "host ::1");
      CHECK(ask(kHere, transport, endpoint("127.0.0.1", kHostPort)).has_value());
    }
    const auto& v6 = addressesOf(netlib::Family::Ipv6);
    CHECK(ask(topology.outside, Transport::Tcp, endpoint(v6.host, kHostPort)).has_value());
    topology.host.addNamespace("c");
    const Outcome refused =
        topology.add("c", R"("portMappings": [{"hostPort": 9000, "containerPort": 80, "hostIP": "::1"}])");
    CHECK(!refused.ok());
    CHECK(contains(refused.out, "::1"));
  });
}

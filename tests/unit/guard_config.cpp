// Spoof guard, isolation and ingress policy in the configuration.
#include "tests/unit/decoded.h"

using namespace pons;
using namespace pons::cni;
using namespace pons::test;

namespace {

EgressPolicy policyOf(const std::string& members) { return decoded(R"("egressPolicy": )" + members).egress.value(); }

const std::string kDns = R"(, "dns": {"nameservers": ["192.0.2.53", "2001:db8::53"]})";

}  // namespace

TEST_CASE("the guard is on by default; it checks IP addresses if there are any") {
  CHECK(decoded("").guard == SpoofGuard::Address);
  CHECK(decoded(R"("ipSpoofCheck": false)").guard == SpoofGuard::Mac);
  CHECK(decoded(R"("macspoofchk": false)").guard == SpoofGuard::None);
  CHECK(decoded(R"("macspoofchk": true, "ipSpoofCheck": true)").guard == SpoofGuard::Address);
  CHECK(configOf(config("")).guard == SpoofGuard::Mac);
  CHECK(codeOf(R"("macspoofchk": false, "ipSpoofCheck": true)") == 7);
  CHECK(addCode(config(R"("ipSpoofCheck": true)")) == 7);
  CHECK(codeOf(R"("ipSpoofCheck": "x")") == 7);
}

TEST_CASE("no policy, an empty one, and one that says all") {
  CHECK_FALSE(decoded("").egress);
  CHECK_FALSE(decoded(R"("egressPolicy": null)").egress);
  const EgressPolicy nothing = decoded(R"("egressPolicy": {})" + kDns).egress.value();
  CHECK(nothing == EgressPolicy{.destinations = {}, .tcpPorts = {}, .udpPorts = {}, .nameservers = {}});
  const EgressPolicy all = decoded(R"("egressPolicy": {"allowedCidrs": ["10.0.0.1/8", "2001:db8::1"],
      "allowedTcpPorts": [443, 443, 80], "allowedUdpPorts": [65535], "logDenied": false})" +
                                   kDns)
                               .egress.value();
  CHECK(all == EgressPolicy{.destinations = {net("10.0.0.0/8"), net("2001:db8::1/128")},
                            .tcpPorts = {443, 80},
                            .udpPorts = {65535},
                            .nameservers = {ip("192.0.2.53"), ip("2001:db8::53")},
                            .logDenied = false});
  CHECK(decoded(R"("egressPolicy": {"allowDns": false})" + kDns).egress->nameservers.empty());
}

TEST_CASE("destinations inside of others are left out: the kernel's sets take no overlaps") {
  CHECK(policyOf(R"({"allowedCidrs": ["10.1.0.0/16", "10.0.0.0/8", "10.0.0.0/8", "11.0.0.0/8"]})").destinations ==
        std::vector{net("10.0.0.0/8"), net("11.0.0.0/8")});
  CHECK(policyOf(R"({"allowedCidrs": ["0.0.0.0/0", "255.255.255.255", "::/0", "::1"]})").destinations ==
        std::vector{net("0.0.0.0/0"), net("::/0")});
}

TEST_CASE("a container's own policy takes the place of the network's") {
  const std::string networks = R"("egressPolicy": {"allowedTcpPorts": [1]}, )";
  const std::string args = R"("args": {"cni": {"egressPolicy": {"allowedTcpPorts": [2]}}})";
  const std::string runtime = R"("runtimeConfig": {"egressPolicy": {"allowedTcpPorts": [3]}})";
  CHECK(decoded(networks + args).egress->tcpPorts == std::vector<Port>{2});
  CHECK(decoded(networks + args + ", " + runtime).egress->tcpPorts == std::vector<Port>{3});
}

TEST_CASE("a policy that cannot be meant is refused, with its name and value") {
  for (const char* policy :
       {R"([])", R"(true)", R"({"allowedCidrs": "10.0.0.0/8"})", R"({"allowedCidrs": ["x"]})",
        R"({"allowedCidrs": [""]})", R"({"allowedTcpPorts": [0]})", R"({"allowedTcpPorts": [65536]})",
        R"({"allowedUdpPorts": ["53"]})", R"({"allowedUdpPorts": [null]})", R"({"allowDns": 1})"}) {
    CAPTURE(policy);
    CHECK(codeOf(R"("egressPolicy": )" + std::string{policy}) == 7);
  }
  CHECK(codeOf(R"("egressPolicy": {"allowedCidr": []})") == 2);
  const auto messageOf = [](const std::string& member) {
    return add(configWithIpam(R"("egressPolicy": {")" + member + "\": []}")).error().message;
  };
  CHECK(messageOf("allowCidrs").ends_with(R"(not a key of an egress policy: did you mean "allowedCidrs"?)"));
  CHECK(messageOf("allowedUDPPort").ends_with(R"(did you mean "allowedUdpPorts"?)"));
  CHECK(messageOf("hosts").ends_with("not a key of an egress policy"));
  CHECK(codeOf(R"("egressPolicy": {}, "ipSpoofCheck": false)") == 7);
  CHECK(addCode(config(R"("egressPolicy": {})")) == 7);
}

TEST_CASE("an internal network has no routes to other hosts, and options that need them are refused") {
  const Config internal = decoded(R"("internal": true)");
  CHECK(internal.internal);
  CHECK(internal.bridge.gateway);
  CHECK_FALSE(internal.isDefaultGateway);
  CHECK(internal.masquerade.empty());
  CHECK_FALSE(decoded(R"("internal": false)").internal);
  for (const char* members : {R"("isDefaultGateway": true)", R"("ipMasq": true)",
                              R"("portMappings": [{"hostPort": 80, "containerPort": 80}])"}) {
    CHECK(codeOf(R"("internal": true, )" + std::string{members}) == 7);
  }
  CHECK(addCode(config(R"("internal": true, "ipam": {"subnet": "10.42.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]})")) ==
        7);
}

#include "plugin/cni/config.h"

#include <doctest/doctest.h>

#include "tests/support/cni_input.h"

namespace {

using namespace pons;
using namespace pons::cni;
using namespace pons::test;
using netlib::Family;

netlib::IpAddress ip(std::string_view text) { return *netlib::IpAddress::parse(text); }
netlib::IpPrefix net(std::string_view text) { return *netlib::IpPrefix::parse(text); }

Config configOf(std::string_view input, const Environment& environment = kEnvironment) {
  auto request = add(input, environment);
  CAPTURE(input);
  if (!request) FAIL(request.error().message);
  return std::move(request).value().config;
}

/// The smallest sensible configuration with these members.
Config decoded(std::string_view members) { return configOf(configWithIpam(members)); }
unsigned codeOf(std::string_view members) { return addCode(configWithIpam(members)); }

Config withIpam(std::string_view members) { return configOf(config(R"("ipam": {)" + std::string{members} + "}")); }
unsigned ipamCode(std::string_view members) { return addCode(config(R"("ipam": {)" + std::string{members} + "}")); }

}  // namespace

TEST_CASE("the smallest sensible configuration does the sensible thing") {
  const Config config = decoded("");
  CHECK(config.bridge.toString() == "pons0");
  CHECK(config.isGateway);
  CHECK(config.isDefaultGateway);
  CHECK(config.masquerade == std::vector{Family::Ipv4});
  CHECK(config.hairpin);
  CHECK_FALSE(config.promiscuous);
  CHECK_FALSE(config.forceAddress);
  CHECK_FALSE(config.portIsolation);
  CHECK_FALSE(config.detectDuplicateAddresses);
  CHECK_FALSE(config.disableContainerInterface);
  CHECK(config.acceptForward);
  CHECK(config.ingress == pons::IngressPolicy::Open);
  CHECK(config.mtu == Mtu{});
  CHECK(config.settings == Settings{});
  REQUIRE(config.addresses.sets.size() == 1);
  CHECK(config.addresses.sets[0][0].subnet == net("10.42.0.0/24"));
  CHECK(config.addresses.sets[0][0].gateway == ip("10.42.0.1"));
  CHECK(config.portMappings.empty());
}

TEST_CASE("the host's firewall and the ingress policy") {
  CHECK(decoded(R"("forward": "auto")").acceptForward);
  CHECK_FALSE(decoded(R"("forward": "off")").acceptForward);
  for (const auto& [text, policy] : {std::pair{"open", pons::IngressPolicy::Open},
                                     {"same-bridge", pons::IngressPolicy::SameBridge},
                                     {"isolated", pons::IngressPolicy::Isolated}}) {
    CHECK(decoded(R"("ingressPolicy": ")" + std::string{text} + "\"").ingress == policy);
  }
}

TEST_CASE("without ipam there are no addresses, and nothing that needs one") {
  for (const std::string_view members :
       {"", R"("ipam": {})", R"("ipam": {"type": "", "ranges": []})", R"("ipam": null)", R"("ipam": {"subnet": ""})"}) {
    const Config plain = configOf(config(members));
    CHECK(plain.addresses.sets.empty());
    CHECK_FALSE(plain.isGateway);
    CHECK_FALSE(plain.isDefaultGateway);
    CHECK(plain.masquerade.empty());
  }
  CHECK(addCode(config(R"("isDefaultGateway": true)")) == 7);
  CHECK(addCode(config(R"("ipMasq": true)")) == 7);
  CHECK(addCode(config(R"("isGateway": true)")) == 0);
  CHECK(addCode(config(R"("portMappings": [{"hostPort": 1, "containerPort": 1}])")) == 7);
  CHECK(addCode(config(R"("disableContainerInterface": true)")) == 0);
  CHECK(codeOf(R"("disableContainerInterface": true)") == 7);
}

TEST_CASE("keys of the wrong type or value: error 7 that names key and value") {
  for (const std::string members : {R"("bridge": 7)",
                                    R"("bridge": "a/b")",
                                    R"("bridge": "sixteen-bytes-xx")",
                                    R"("isGateway": "yes")",
                                    R"("isDefaultGateway": 1)",
                                    R"("ipMasq": {})",
                                    R"("hairpinMode": "on")",
                                    R"("promiscMode": 0)",
                                    R"("mtu": true)",
                                    R"("mtu": "big")",
                                    R"("mtu": 67)",
                                    R"("mtu": 65536)",
                                    R"("mtu": -1)",
                                    R"("mtu": 1500.5)",
                                    R"("forceAddress": [])",
                                    R"("portIsolation": "x")",
                                    R"("forward": "on")",
                                    R"("forward": true)",
                                    R"("ingressPolicy": "closed")",
                                    R"("ingressPolicy": 1)",
                                    R"("enabledad": 1)",
                                    R"("disableContainerInterface": 1)",
                                    R"("macspoofchk": "x")",
                                    R"("vlan": "x")",
                                    R"("vlan": 4095)",
                                    R"("vlanTrunk": {})",
                                    R"("preserveDefaultVlan": 0)",
                                    R"("ipMasqBackend": 7)",
                                    R"("ipMasqExclude": "10.0.0.0/8")",
                                    R"("ipMasqExclude": ["x"])",
                                    R"("ipMasqFamilies": ["ipv5"])",
                                    R"("ipMasqFamilies": [""])",
                                    R"("ipMasqFamilies": "ipv4")",
                                    R"("portMappings": {})",
                                    R"("portMappings": [7])",
                                    R"("runtimeConfig": 7)",
                                    R"("runtimeConfig": {"ips": "x"})",
                                    R"("runtimeConfig": {"ips": [7]})",
                                    R"("runtimeConfig": {"mac": 7})",
                                    R"("runtimeConfig": {"ipRanges": {}})",
                                    R"("runtimeConfig": {"ipRanges": [7]})",
                                    R"("runtimeConfig": {"dns": []})",
                                    R"("args": "x")",
                                    R"("args": {"cni": []})",
                                    R"("args": {"cni": {"ips": {}}})",
                                    R"("args": {"cni": {"mac": "x"}})",
                                    R"("dns": "x")",
                                    R"("dns": {"nameservers": "10.0.0.1"})",
                                    R"("dns": {"search": [7]})",
                                    R"("dns": {"domain": 7})",
                                    R"("dns": {"search": ["a\nnameserver 6.6.6.6"]})",
                                    R"("dns": {"options": ["a b"]})",
                                    R"("dns": {"domain": "a b"})",
                                    R"("stateDir": 7)",
                                    R"("stateDir": "x")",
                                    R"("stateDir": "/a/../b")",
                                    R"("stateDir": "/a\u0000b")",
                                    R"("logFile": "x")",
                                    R"("logFile": [])",
                                    R"("logLevel": "loud")",
                                    R"("logLevel": 7)",
                                    R"("lockTimeout": 0)",
                                    R"("lockTimeout": 601)",
                                    R"("lockTimeout": "30")"}) {
    CAPTURE(members);
    const auto request = add(configWithIpam(members));
    REQUIRE_FALSE(request.ok());
    CHECK(request.error().code == ErrorCode::InvalidConfig);
    const std::string key = members.substr(1, members.find('"', 1) - 1);
    CHECK(request.error().message.find(key) != std::string::npos);
    CHECK(request.error().message.find("expected") != std::string::npos);
  }
  CHECK(addCode(config(R"("ipam": "x")")) == 7);
}

TEST_CASE("known keys that pons cannot serve: error 2 that names key and value") {
  const auto refused = [](std::string_view members, std::string_view shown) {
    const auto request = add(configWithIpam(members));
    REQUIRE_FALSE(request.ok());
    CHECK(request.error().code == ErrorCode::UnsupportedField);
    CHECK(request.error().message.find(shown) != std::string::npos);
  };
  refused(R"("vlan": 5)", R"("vlan": 5)");
  refused(R"("vlanTrunk": [{"id": 7}])", R"("vlanTrunk": [{"id":7}])");
  refused(R"("preserveDefaultVlan": false)", R"("preserveDefaultVlan": false)");
  refused(R"("macspoofchk": true)", R"("macspoofchk": true)");
  refused(R"("ipMasqBackend": "iptables")", R"("ipMasqBackend": "iptables")");
  CHECK(codeOf(R"("vlan": 0, "vlanTrunk": [], "preserveDefaultVlan": true, "macspoofchk": false)") == 0);
  CHECK(codeOf(R"("ipMasqBackend": "nftables")") == 0);
  CHECK(codeOf(R"("ipMasqBackend": "")") == 0);
}

TEST_CASE("host-local has the ranges of pons, and a directory") {
  const Config config = withIpam(R"("type": "host-local", "ranges": [[{"subnet": "10.42.0.0/24"}]])");
  CHECK(config.addresses.hostLocalDir == "/var/lib/cni/networks");
  CHECK(config.addresses.sets.size() == 1);
  CHECK_FALSE(config.delegated);
  CHECK(withIpam(R"("type": "host-local", "subnet": "10.42.0.0/24", "dataDir": "/run/x")").addresses.hostLocalDir ==
        "/run/x");
  CHECK_FALSE(withIpam(R"("subnet": "10.42.0.0/24", "dataDir": "/run/x")").addresses.hostLocalDir);
  for (const std::string_view members : {R"("type": "host-local")", R"("type": "host-local", "ranges": [])",
                                         R"("type": "host-local", "subnet": "10.42.0.0/24", "dataDir": "x")",
                                         R"("type": "host-local", "subnet": "10.42.0.0/24", "dataDir": "/a/../b")"}) {
    CHECK(ipamCode(members) == 7);
  }
}

TEST_CASE("static: addresses by name, more of them from CNI_ARGS, all replaced by args and by runtimeConfig") {
  const std::string ipam = R"("ipam": {"type": "static", "routes": [{"dst": "0.0.0.0/0"}],)"
                           R"( "dns": {"nameservers": ["9.9.9.9"]}, "addresses": [)"
                           R"({"address": "10.42.0.7/24", "gateway": "10.42.0.254"}, {"address": "fd42::7/64"}]})";
  Environment environment = kEnvironment;
  environment.args = "IgnoreUnknown=1;IP=10.43.0.8/16, 10.44.0.9/16;GATEWAY=10.43.0.1,fd42::1";
  const Config config = configOf(pons::test::config(ipam), environment);
  const std::vector<Lease> expected{{net("10.42.0.7/24"), ip("10.42.0.254")},
                                    {net("fd42::7/64"), ip("fd42::1")},
                                    {net("10.43.0.8/16"), ip("10.43.0.1")},
                                    {net("10.44.0.9/16"), std::nullopt}};
  CHECK(config.addresses.fixed == expected);
  CHECK(config.addresses.requested.empty());
  CHECK(config.routes.size() == 1);
  CHECK(config.dns.nameservers == std::vector{ip("9.9.9.9")});
  CHECK(config.isDefaultGateway);

  const std::string args = R"(, "args": {"cni": {"ips": ["10.45.0.1/24"]}})";
  const std::string runtime = R"(, "runtimeConfig": {"ips": ["10.46.0.1/24", "fd46::1/64"]})";
  const auto addresses = [&](const std::string& more) {
    return configOf(pons::test::config(ipam + more), environment).addresses.fixed;
  };
  CHECK(addresses(args) == std::vector<Lease>{{net("10.45.0.1/24"), std::nullopt}});
  CHECK(addresses(args + runtime) ==
        std::vector<Lease>{{net("10.46.0.1/24"), std::nullopt}, {net("fd46::1/64"), std::nullopt}});
  CHECK(addresses(R"(, "runtimeConfig": {"ips": []})") == expected);
}

TEST_CASE("static: what is no address of one interface, or has no prefix length, is error 7") {
  for (const std::string_view list :
       {R"([])", R"(["10.42.0.7/24"])", R"([{"address": "10.42.0.7"}])", R"([{}])",
        R"([{"address": "10.42.0.7/24", "gateway": "fd42::1"}])", R"([{"address": "::/64"}])",
        R"([{"address": "10.42.0.7/24"}, {"address": "10.42.0.7/16"}])"}) {
    CHECK(ipamCode(R"("type": "static", "addresses": )" + std::string{list}) == 7);
  }
  Environment environment = kEnvironment;
  for (const char* args : {"IP=10.42.0.7", "IP=10.42.0.7/33", "IP=10.42.0.7/24;GATEWAY=x"}) {
    environment.args = args;
    CHECK(addCode(config(R"("ipam": {"type": "static"})"), environment) == 7);
  }
  const auto old = [](const std::string& list) {
    return addCode(R"({"cniVersion": "0.2.0", "name": "demo", "ipam": {"type": "static", "addresses": [)" + list +
                   "]}}");
  };
  CHECK(old(R"({"address": "10.42.0.7/24"})") == 0);
  CHECK(old(R"({"address": "10.42.0.7/24"}, {"address": "10.42.0.8/24"})") == 7);
}

TEST_CASE("any other ipam type is a program's name, and the rest of ipam is that program's") {
  const std::string input = config(R"("ipam": {"type": "whereabouts", "range": 7, "routes": "theirs"})");
  Environment environment = kEnvironment;
  environment.args = "K8S_POD_NAME=p;IP=whatever";
  environment.path = "/opt/cni/bin:/usr/lib/cni";
  const Config config = configOf(input, environment);
  CHECK(config.delegated == DelegatedIpam{"whereabouts", input, environment.args});
  CHECK(config.settings.pluginPath == environment.path);
  CHECK(config.addresses.sets.empty());
  CHECK(config.isGateway);
  CHECK(config.isDefaultGateway);
  CHECK(config.masquerade == std::vector{Family::Ipv4, Family::Ipv6});
  for (const std::string_view type : {"a/b", "..", ".", "a b", "/bin/sh", "a\\\\b"}) {
    CHECK(ipamCode(R"("type": ")" + std::string{type} + "\"") == 7);
  }
}

TEST_CASE("DEL knows of an ipam section who else has to hear of it, and no more") {
  const auto del = [](const std::string& members) {
    const auto request = parseRequest(Verb::Del, kEnvironment, config(members));
    REQUIRE_MESSAGE(request.ok(), members);
    return request->config;
  };
  CHECK(del(R"("ipam": {"type": "host-local", "ranges": 7, "dataDir": "/run/x"})").addresses.hostLocalDir == "/run/x");
  CHECK(del(R"("ipam": {"type": "dhcp", "routes": 7})").delegated->type == "dhcp");
  for (const std::string members :
       {R"("ipam": 7)", R"("ipam": {"type": 7})", R"("ipam": {"type": "a/b"})", R"("ipam": {})",
        R"("ipam": {"type": "host-local", "dataDir": 7})", R"("mtu": "x")"}) {
    const Config config = del(members);
    CHECK_FALSE(config.addresses.hostLocalDir);
    CHECK_FALSE(config.delegated);
  }
}

TEST_CASE("unknown keys and null are ignored") {
  CHECK(codeOf(R"("capabilities": {"portMappings": true}, "nerdctlID": "x", "disableCheck": true, "cni.dev/x": [],)"
               R"("args": {"podman_labels": {}}, "runtimeConfig": {"io.kubernetes.cri.pod-annotations": null})") == 0);
  CHECK(codeOf(R"("bridge": null, "isGateway": null, "mtu": null, "hairpinMode": null, "vlan": null,)"
               R"("vlanTrunk": null, "portMappings": null, "runtimeConfig": null, "args": null, "dns": null,)"
               R"("stateDir": null, "logLevel": null, "lockTimeout": null, "ipMasqExclude": null)") == 0);
  CHECK(ipamCode(R"("type": "pons", "subnet": "10.42.0.0/24", "ranges": null, "rangeStart": "", "gateway": null,)"
                 R"("exclude": null, "routes": null, "resolveConf": "/does/not/exist")") == 0);
}

TEST_CASE("isDefaultGateway implies isGateway") {
  CHECK(codeOf(R"("isGateway": false, "isDefaultGateway": true)") == 7);
  const Config off = decoded(R"("isGateway": false)");
  CHECK_FALSE(off.isGateway);
  CHECK_FALSE(off.isDefaultGateway);
  CHECK(off.masquerade.empty());
  CHECK_FALSE(decoded(R"("isDefaultGateway": false)").isDefaultGateway);
  CHECK(decoded(R"("isGateway": false, "ipMasq": true)").masquerade == std::vector{Family::Ipv4});
}

TEST_CASE("hairpin is on, but never together with promiscMode") {
  CHECK_FALSE(decoded(R"("promiscMode": true)").hairpin);
  CHECK_FALSE(decoded(R"("hairpinMode": false)").hairpin);
  CHECK(codeOf(R"("promiscMode": true, "hairpinMode": true)") == 7);
  CHECK(codeOf(R"("promiscMode": true, "hairpinMode": false)") == 0);
}

TEST_CASE("mtu: auto, the kernel's default, or what every family can live with") {
  CHECK(decoded(R"("mtu": "auto")").mtu == Mtu{.automatic = true, .bytes = 0});
  CHECK(decoded(R"("mtu": 0)").mtu == Mtu{});
  CHECK(decoded(R"("mtu": 68)").mtu.bytes == 68);
  CHECK(decoded(R"("mtu": 65535)").mtu.bytes == 65535);
  const auto ipv6 = [](int mtu) {
    return addCode(config(R"("ipam": {"subnet": "fd00:42::/64"}, "mtu": )" + std::to_string(mtu)));
  };
  CHECK(ipv6(1279) == 7);
  CHECK(ipv6(1280) == 0);
  CHECK(ipv6(0) == 0);
}

TEST_CASE("masquerade: by family, less the exclusions") {
  const std::string dual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00:42::/64"}]]})";
  const auto families = [&](const std::string& members) { return configOf(config(dual + members)).masquerade; };
  CHECK(families("") == std::vector{Family::Ipv4, Family::Ipv6});
  CHECK(families(R"(, "ipMasqFamilies": ["ipv6"])") == std::vector{Family::Ipv6});
  CHECK(families(R"(, "ipMasqFamilies": ["ipv4", "ipv4"])") == std::vector{Family::Ipv4});
  CHECK(families(R"(, "ipMasqFamilies": [])").empty());
  CHECK(families(R"(, "ipMasq": false)").empty());
  CHECK(decoded(R"("ipMasqExclude": ["10.1.2.3/8", "192.0.2.7"])").masqueradeExcluded ==
        std::vector{net("10.0.0.0/8"), net("192.0.2.7/32")});
}

TEST_CASE("W14: dual stack takes one address from each outer set") {
  const Config config = withIpam(R"("ranges": [[{"subnet": "10.88.0.0/16"}, {"subnet": "10.90.0.0/16"}],)"
                                 R"( [{"subnet": "1100:200::/24"}]])");
  REQUIRE(config.addresses.sets.size() == 2);
  CHECK(config.addresses.sets[0].size() == 2);
  CHECK(config.addresses.sets[1][0].subnet == net("1100:200::/24"));
}

TEST_CASE("W12: a subnet of length 0 is refused, in both families") {
  for (const std::string subnet : {"0.0.0.0/0", "::/0"}) {
    CHECK(ipamCode(R"("subnet": ")" + subnet + "\"") == 7);
    CHECK(ipamCode(R"("ranges": [[{"subnet": ")" + subnet + "\"}]]") == 7);
  }
}

TEST_CASE("W20: a subnet may have any length, and its gateway and range lie inside") {
  std::vector<netlib::IpPrefix> subnets;  // from /3 on: every shorter one holds loopback or multicast addresses
  for (int length = 3; length <= 32; ++length) subnets.push_back(*netlib::IpPrefix::of(ip("160.0.0.0"), length));
  for (int length = 3; length <= 128; ++length) subnets.push_back(*netlib::IpPrefix::of(ip("2000::"), length));
  for (const netlib::IpPrefix& subnet : subnets) {
    CAPTURE(subnet.toString());
    const Config config = withIpam(R"("subnet": ")" + subnet.toString() + "\"");
    const Range& range = config.addresses.sets.at(0).at(0);
    CHECK(range.subnet == subnet);
    CHECK(subnet.contains(range.start));
    CHECK(subnet.contains(range.end));
    CHECK((!range.gateway || subnet.contains(*range.gateway)));
  }
  CHECK(withIpam(R"("subnet": "10.0.50.128/25")").addresses.sets[0][0].gateway == ip("10.0.50.129"));
}

TEST_CASE("W69: numbers in addresses and prefixes are strict") {
  for (const std::string subnet :
       {"10.42.0.0/+24", "+10.42.0.0/24", "10.42.0.0/024", "010.42.0.0/24", "10.42.0.0/ 24", "10.42.0.0/24 ",
        "10.42.0.0", "10.42.0/24", "10.42.0.0/33", "10.42.0.7/24", "x/24"}) {
    CAPTURE(subnet);
    CHECK(ipamCode(R"("subnet": ")" + subnet + "\"") == 7);
  }
}

TEST_CASE("the range of ipam itself comes before ranges, and those of runtimeConfig before both") {
  const Config config = configOf(test::config(
      R"("ipam": {"Subnet": "10.2.0.0/16", "RangeStart": "10.2.0.10", "RangeEnd": "10.2.0.20", "Gateway": "10.2.0.9",)"
      R"("ranges": [[{"subnet": "10.3.0.0/16"}]]}, "runtimeConfig": {"ipRanges": [[{"subnet": "10.1.0.0/16"}]]})"));
  REQUIRE(config.addresses.sets.size() == 3);
  CHECK(config.addresses.sets[0][0].subnet == net("10.1.0.0/16"));
  const Range& own = config.addresses.sets[1][0];
  CHECK(own.start == ip("10.2.0.10"));
  CHECK(own.end == ip("10.2.0.20"));
  CHECK(own.gateway == ip("10.2.0.9"));
  CHECK(config.addresses.sets[2][0].subnet == net("10.3.0.0/16"));
}

TEST_CASE("runtimeConfig.ipRanges as go-cni sends them: a flat list with Go's names") {
  const Config config = configOf(test::config(
      R"("runtimeConfig": {"ipRanges": [{"Subnet": "10.1.2.0/24", "RangeStart": "", "RangeEnd": "", "Gateway": ""},)"
      R"( {"Subnet": "fd00::/64", "RangeStart": "", "RangeEnd": "", "Gateway": ""}]})"));
  CHECK(config.addresses.sets.size() == 2);
}

TEST_CASE("ranges that contradict themselves or each other: error 7") {
  for (const std::string_view members :
       {R"("subnet": "10.42.0.0/24", "gateway": "10.43.0.1")", R"("subnet": "10.42.0.0/24", "rangeStart": "10.43.0.1")",
        R"("subnet": "10.42.0.0/24", "rangeStart": "10.42.0.9", "rangeEnd": "10.42.0.8")", R"("gateway": "10.42.0.1")",
        R"("rangeStart": "10.42.0.1", "ranges": [[{"subnet": "10.42.0.0/24"}]])", R"("subnet": 7)",
        R"("subnet": "10.42.0.0/24", "ranges": [[{"subnet": "10.42.0.0/25"}]])", R"("ranges": [[]])",
        R"("ranges": [[{}]])", R"("ranges": [["10.42.0.0/24"]])", R"("ranges": ["10.42.0.0/24"])",
        R"("ranges": [null])", R"("ranges": [[{"subnet": "10.42.0.0/24"}, {"subnet": "fd00::/64"}]])",
        R"("subnet": "127.0.0.0/8")", R"("subnet": "224.0.0.0/24")", R"("subnet": "10.42.0.0/24", "exclude": ["x"])",
        R"("subnet": "10.42.0.0/24", "exclude": "10.42.0.9")", R"("type": 7)"}) {
    CAPTURE(members);
    CHECK(ipamCode(members) == 7);
  }
}

TEST_CASE("exclude takes addresses and subnets") {
  CHECK(withIpam(R"("subnet": "10.42.0.0/24", "exclude": ["10.42.0.9", "10.42.0.77/28", ""])").addresses.excluded ==
        std::vector{net("10.42.0.9/32"), net("10.42.0.64/28")});
}

TEST_CASE("routes with all their attributes") {
  const Config config = withIpam(R"("subnet": "10.42.0.0/24", "routes": [{"dst": "0.0.0.0/0", "GW": ""},)"
                                 R"({"dst": "10.9.8.7/8", "gw": "10.42.0.3", "mtu": 1400, "advmss": 1360,)"
                                 R"( "priority": 100, "table": 4294967295, "scope": 0}])");
  REQUIRE(config.routes.size() == 2);
  CHECK(config.routes[0].destination == net("0.0.0.0/0"));
  CHECK_FALSE(config.routes[0].gateway.has_value());
  CHECK_FALSE(config.routes[0].table.has_value());
  CHECK(config.routes[1] == Route{.destination = net("10.0.0.0/8"),
                                  .gateway = ip("10.42.0.3"),
                                  .mtu = 1400,
                                  .advmss = 1360,
                                  .priority = 100,
                                  .table = 4294967295U,
                                  .scope = std::uint8_t{0}});
}

TEST_CASE("routes that cannot be: error 7") {
  for (const std::string route :
       {"{}", "7", "null", R"({"dst": "10.0.0.0"})", R"({"dst": "10.0.0.0/8", "gw": "fd00::1"})",
        R"({"dst": "10.0.0.0/8", "gw": "x"})", R"({"dst": "10.0.0.0/8", "mtu": 65536})",
        R"({"dst": "10.0.0.0/8", "advmss": -1})", R"({"dst": "10.0.0.0/8", "priority": 4294967296})",
        R"({"dst": "10.0.0.0/8", "table": "main"})", R"({"dst": "10.0.0.0/8", "scope": 256})",
        R"({"dst": "10.0.0.0/8"}, {"dst": "10.1.0.0/8"})",
        R"({"dst": "10.0.0.0/8"}, {"dst": "10.0.0.0/8", "table": 254})"}) {
    CAPTURE(route);
    CHECK(ipamCode(R"("subnet": "10.42.0.0/24", "routes": [)" + route + "]") == 7);
  }
  CHECK(ipamCode(R"("subnet": "10.42.0.0/24", "routes": [{"dst": "10.0.0.0/8"}, {"dst": "10.0.0.0/8", "table": 100},)"
                 R"({"dst": "10.0.0.0/8", "priority": 5}])") == 0);
}

TEST_CASE("before 0.3.0 a result has room for one address of each family, and needs one") {
  const auto code = [](const std::string& ipam) {
    return addCode(R"({"cniVersion": "0.2.0", "name": "demo", "ipam": {)" + ipam + "}}");
  };
  CHECK(code("") == 7);
  CHECK(code(R"("ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "10.2.0.0/24"}]])") == 7);
  CHECK(code(R"("ranges": [[{"subnet": "10.1.0.0/24"}], [{"subnet": "fd00::/64"}]])") == 0);
  CHECK(code(R"("ranges": [[{"subnet": "10.1.0.0/24"}, {"subnet": "10.2.0.0/24"}]])") == 0);
}

TEST_CASE("settings: the configuration wins over PONS_STATE_DIR, that over the default") {
  Environment environment = kEnvironment;
  environment.stateDir = "/srv/env";
  const auto stateDir = [&](std::string_view members) {
    return configOf(configWithIpam(members), environment).settings.stateDir;
  };
  CHECK(decoded("").settings.stateDir == "/run/pons");
  CHECK(stateDir("") == "/srv/env");
  CHECK(stateDir(R"("stateDir": "/srv/file")") == "/srv/file");
  environment.stateDir = "relative";
  CHECK(addCode(configWithIpam(""), environment) == 4);

  const Settings settings = decoded(R"("logFile": "/var/log/pons", "logLevel": "trace", "lockTimeout": 600)").settings;
  CHECK(settings.logFile == "/var/log/pons");
  CHECK(settings.logLevel == log::Level::Trace);
  CHECK(settings.lockTimeout == std::chrono::seconds{600});
}

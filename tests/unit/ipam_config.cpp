// The section "ipam": IPAM type, ranges and routes.
#include "tests/unit/decoded.h"

using namespace pons;
using namespace pons::cni;
using namespace pons::test;
using netlib::Family;

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
  CHECK(config.bridge.gateway);
  CHECK(config.isDefaultGateway);
  CHECK(config.masquerade == std::vector{Family::Ipv4, Family::Ipv6});
  for (const std::string_view type : {"a/b", "..", ".", "a b", "/bin/sh", "a\\\\b"}) {
    CHECK(ipamCode(R"("type": ")" + std::string{type} + "\"") == 7);
  }
}

TEST_CASE("DEL decodes only the delegated plugin of an ipam section") {
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

TEST_CASE("dual stack takes one address from each outer set") {
  const Config config = withIpam(R"("ranges": [[{"subnet": "10.88.0.0/16"}, {"subnet": "10.90.0.0/16"}],)"
                                 R"( [{"subnet": "1100:200::/24"}]])");
  REQUIRE(config.addresses.sets.size() == 2);
  CHECK(config.addresses.sets[0].size() == 2);
  CHECK(config.addresses.sets[1][0].subnet == net("1100:200::/24"));
}

TEST_CASE("a subnet of length 0 is refused, in both families") {
  for (const std::string subnet : {"0.0.0.0/0", "::/0"}) {
    CHECK(ipamCode(R"("subnet": ")" + subnet + "\"") == 7);
    CHECK(ipamCode(R"("ranges": [[{"subnet": ")" + subnet + "\"}]]") == 7);
  }
}

TEST_CASE("a subnet may have any length, and its gateway and range are inside it") {
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

TEST_CASE("numbers in addresses and prefixes are strict") {
  for (const std::string subnet :
       {"10.42.0.0/+24", "+10.42.0.0/24", "10.42.0.0/024", "010.42.0.0/24", "10.42.0.0/ 24", "10.42.0.0/24 ",
        "10.42.0.0", "10.42.0/24", "10.42.0.0/33", "10.42.0.7/24", "x/24"}) {
    CAPTURE(subnet);
    CHECK(ipamCode(R"("subnet": ")" + subnet + "\"") == 7);
  }
}

TEST_CASE("a prefix length that is too large: the error says the largest one") {
  const auto message = [](const std::string& members) {
    return add(config(R"("ipam": {"subnet": "10.42.0.0/24"}, )" + members)).error().message;
  };
  const auto ofSubnet = [](const std::string& subnet) {
    return add(config(R"("ipam": {"subnet": ")" + subnet + "\"}")).error().message;
  };
  CHECK(ofSubnet("10.42.0.0/33") == R"(invalid "ipam.subnet": "10.42.0.0/33", expected a prefix length of at most 32)");
  CHECK(ofSubnet("fd42::/129") == R"(invalid "ipam.subnet": "fd42::/129", expected a prefix length of at most 128)");
  CHECK(message(R"("ipMasqExclude": ["192.0.2.0/64"])") ==
        R"(invalid "ipMasqExclude[0]": "192.0.2.0/64", expected a prefix length of at most 32)");
  for (const char* other : {"10.42.0.0/024", "10.42.0.0", "10.42.0.0/", "10.42.0/33", "x/33", "10.42.0.0/-1"}) {
    CHECK(ofSubnet(other).ends_with("expected an address with a prefix length, such as 10.42.0.0/24"));
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
        R"({"dst": "10.0.0.0/8"}, {"dst": "10.0.0.0/8", "table": 254})",
        R"({"dst": "10.0.0.0/8", "gw": "10.42.0.9"}, {"dst": "10.1.0.0/8", "gw": "10.42.0.9"})",
        R"({"dst": "10.0.0.0/8", "gw": "10.42.0.9"}, {"dst": "10.0.0.0/8", "gw": "10.42.0.8", "mtu": 1400})",
        R"({"dst": "10.0.0.0/8", "advmss": 1300}, {"dst": "10.0.0.0/8", "gw": "10.42.0.8", "advmss": 1301})",
        R"({"dst": "10.0.0.0/8", "scope": 253}, {"dst": "10.0.0.0/8", "gw": "10.42.0.8"})"}) {
    CAPTURE(route);
    CHECK(ipamCode(R"("subnet": "10.42.0.0/24", "routes": [)" + route + "]") == 7);
  }
  CHECK(ipamCode(R"("subnet": "10.42.0.0/24", "routes": [{"dst": "10.0.0.0/8"}, {"dst": "10.0.0.0/8", "table": 100},)"
                 R"({"dst": "10.0.0.0/8", "priority": 5}])") == 0);
}

TEST_CASE("several gateways of one destination, table and priority are kept, in their order") {
  const Config config = withIpam(R"("subnet": "10.42.0.0/24", "routes": [{"dst": "0.0.0.0/0", "gw": "10.42.0.9"},)"
                                 R"({"dst": "0.0.0.0/0"}, {"dst": "0.0.0.0/0", "gw": "10.42.0.3", "table": 254}])");
  REQUIRE(config.routes.size() == 3);
  CHECK(config.routes[0].gateway == ip("10.42.0.9"));
  CHECK_FALSE(config.routes[1].gateway.has_value());
  CHECK(config.routes[2].gateway == ip("10.42.0.3"));
}

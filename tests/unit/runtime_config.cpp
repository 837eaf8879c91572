// runtimeConfig and CNI_ARGS of one container: ports, addresses, MAC, DNS.
#include <cstdio>
#include <cstdlib>

#include <doctest/doctest.h>
#include <unistd.h>

#include "plugin/cni/decode/config.h"

#include "tests/support/cni_input.h"

namespace {

using namespace pons;
using namespace pons::cni;
using namespace pons::test;

netlib::IpAddress ip(std::string_view text) { return *netlib::IpAddress::parse(text); }
netlib::IpPrefix prefix(std::string_view text) { return *netlib::IpPrefix::parse(text); }

Environment withArgs(std::string args) {
  Environment environment = kEnvironment;
  environment.args = std::move(args);
  return environment;
}

Config decoded(std::string_view members, const std::string& args = "") {
  auto request = add(configWithIpam(members), withArgs(args));
  CAPTURE(members);
  if (!request) FAIL(request.error().message);
  return std::move(request).value().config;
}

std::string mappings(const std::string& list) { return R"("runtimeConfig": {"portMappings": [)" + list + "]}"; }
unsigned mappingCode(const std::string& list) { return addCode(configWithIpam(mappings(list))); }

}  // namespace

TEST_CASE("a port mapping as containerd sends it, with Go's names") {
  const Config config = decoded(mappings(R"({"HostPort":28081,"ContainerPort":8081,"Protocol":"UDP","HostIP":""})"));
  REQUIRE(config.portMappings.size() == 1);
  CHECK(config.portMappings[0] == PortMapping{Protocol::Udp, 28081, 8081, std::nullopt});
}

TEST_CASE("the file's port mappings come first; tcp is the default") {
  const Config config = decoded(R"("portMappings": [{"hostPort": 1, "containerPort": 2}],)" +
                                mappings(R"({"hostPort": 65535, "containerPort": 65535, "protocol": "sctp"})"));
  REQUIRE(config.portMappings.size() == 2);
  CHECK(config.portMappings[0] == PortMapping{Protocol::Tcp, 1, 2, std::nullopt});
  CHECK(config.portMappings[1] == PortMapping{Protocol::Sctp, 65535, 65535, std::nullopt});
}

TEST_CASE("a port is 1 to 65535") {
  for (const std::string port : {"0", "-1", "65536", "4294967376", "\"80\"", "80.5", "null", "true"}) {
    CAPTURE(port);
    CHECK(mappingCode(R"({"hostPort": )" + port + R"(, "containerPort": 80})") == 7);
    CHECK(mappingCode(R"({"hostPort": 80, "containerPort": )" + port + "}") == 7);
    CHECK(addCode(configWithIpam(R"("portMappings": [{"hostPort": )" + port + R"(, "containerPort": 80}])")) == 7);
  }
  CHECK(mappingCode(R"({"containerPort": 80})") == 7);
  CHECK(mappingCode("null") == 7);
}

TEST_CASE("hostIP: absent for all, unspecified for its family, never a group address") {
  const auto hostAddress = [](const std::string& text) {
    return decoded(mappings(R"({"hostPort": 80, "containerPort": 80, "hostIP": ")" + text + "\"}"))
        .portMappings.at(0)
        .hostAddress;
  };
  CHECK_FALSE(hostAddress("").has_value());
  CHECK(hostAddress("0.0.0.0") == ip("0.0.0.0"));
  CHECK(hostAddress("::") == ip("::"));
  CHECK(hostAddress("127.0.0.1") == ip("127.0.0.1"));
  CHECK(hostAddress("::ffff:192.0.2.1") == ip("192.0.2.1"));
  for (const std::string text : {"224.0.0.1", "ff02::1", "255.255.255.255", "x", "10.0.0.1/32", "+1.2.3.4"}) {
    CAPTURE(text);
    CHECK(mappingCode(R"({"hostPort": 80, "containerPort": 80, "hostIP": ")" + text + "\"}") == 7);
  }
  CHECK(mappingCode(R"({"hostPort": 80, "containerPort": 80, "protocol": "icmp"})") == 7);
}

TEST_CASE("allowFrom: addresses and CIDRs of both families, without what others contain; an empty list is an error") {
  const auto allowFrom = [](const std::string& list) {
    return decoded(R"("portMappings": [{"hostPort": 80, "containerPort": 80, "allowFrom": )" + list + "}]")
        .portMappings.at(0)
        .allowFrom;
  };
  using Prefixes = std::vector<netlib::IpPrefix>;
  CHECK(decoded(mappings(R"({"hostPort": 80, "containerPort": 80})")).portMappings.at(0).allowFrom.empty());
  CHECK(allowFrom(R"(["192.0.2.7/24"])") == Prefixes{prefix("192.0.2.0/24")});
  CHECK(allowFrom(R"(["192.0.2.7", "fd00::/8", "fd00::1", "10.1.0.0/16", "10.0.0.0/8"])") ==
        Prefixes{prefix("fd00::/8"), prefix("10.0.0.0/8"), prefix("192.0.2.7/32")});
  CHECK(allowFrom(R"(["0.0.0.0/0", "::/0", "192.0.2.0/24"])") == Prefixes{prefix("0.0.0.0/0"), prefix("::/0")});
  for (const std::string list : {"[]", "[\"\"]", "\"192.0.2.0/24\"", "[\"192.0.2.0/33\"]", "[1]", "{}", "true"}) {
    CAPTURE(list);
    CHECK(mappingCode(R"({"hostPort": 80, "containerPort": 80, "allowFrom": )" + list + "}") == 7);
  }
}

TEST_CASE("allowFrom of one port: the same everywhere, or of different host addresses") {
  const auto mapping = [](const std::string& hostIp, const std::string& allowFrom) {
    return R"({"hostPort": 80, "containerPort": 80, "hostIP": ")" + hostIp + "\"" + allowFrom + "}";
  };
  const std::string lan = R"(, "allowFrom": ["192.0.2.0/24"])";
  const std::string vpn = R"(, "allowFrom": ["198.51.100.0/24"])";
  CHECK(decoded(mappings(mapping("", lan) + ", " + mapping("192.0.2.1", lan))).portMappings.size() == 1);
  CHECK(mappingCode(mapping("", lan) + ", " + mapping("", "")) == 7);
  CHECK(mappingCode(mapping("192.0.2.1", lan) + ", " + mapping("192.0.2.1", vpn)) == 7);
  CHECK(mappingCode(mapping("0.0.0.0", "") + ", " + mapping("192.0.2.1", vpn)) == 7);
  // A runtime cannot lift what the file restricts.
  CHECK(addCode(configWithIpam(R"("portMappings": [)" + mapping("", lan) + "], " + mappings(mapping("", "")))) == 7);
  const auto two = decoded(mappings(mapping("192.0.2.1", "") + ", " + mapping("198.51.100.1", vpn))).portMappings;
  REQUIRE(two.size() == 2);
  CHECK(two[0].allowFrom == std::vector{prefix("0.0.0.0/0"), prefix("::/0")});
  CHECK(two[1].allowFrom == std::vector{prefix("198.51.100.0/24")});
}

TEST_CASE("mappings that others include are dropped; one host port never leads to two places") {
  const auto mapping = [](const std::string& hostIp, int target) {
    return R"({"hostPort": 80, "containerPort": )" + std::to_string(target) + R"(, "hostIP": ")" + hostIp + "\"}";
  };
  const auto kept = [&](const std::string& a, const std::string& b) {
    const auto left = decoded(mappings(mapping(a, 8080) + "," + mapping(b, 8080))).portMappings;
    return left.size() == 1 ? left[0].hostAddress : ip("255.255.255.255");
  };
  const auto both = ip("255.255.255.255");
  CHECK(kept("", "") == std::nullopt);
  CHECK(kept("192.0.2.1", "192.0.2.1") == ip("192.0.2.1"));
  CHECK(kept("192.0.2.1", "") == std::nullopt);
  CHECK(kept("", "::") == std::nullopt);
  CHECK(kept("192.0.2.1", "0.0.0.0") == ip("0.0.0.0"));
  CHECK(kept("0.0.0.0", "192.0.2.1") == ip("0.0.0.0"));
  CHECK(kept("0.0.0.0", "::") == both);
  CHECK(kept("192.0.2.1", "192.0.2.2") == both);
  CHECK(kept("192.0.2.1", "::") == both);

  for (const auto& [a, b, code] :
       std::vector<std::tuple<std::string, std::string, unsigned>>{{"", "", 7},
                                                                   {"", "192.0.2.1", 7},
                                                                   {"0.0.0.0", "192.0.2.1", 7},
                                                                   {"::", "", 7},
                                                                   {"192.0.2.1", "192.0.2.1", 7},
                                                                   {"0.0.0.0", "::", 0},
                                                                   {"192.0.2.1", "192.0.2.2", 0},
                                                                   {"192.0.2.1", "::", 0}}) {
    CAPTURE(a);
    CAPTURE(b);
    CHECK(mappingCode(mapping(a, 8080) + "," + mapping(b, 9090)) == code);
    CHECK(mappingCode(mapping(b, 8080) + "," + mapping(a, 9090)) == code);
  }
  CHECK(mappingCode(mapping("", 8080) + R"(, {"hostPort": 80, "containerPort": 9090, "protocol": "udp"})") == 0);
}

TEST_CASE("requested addresses: all sources together, without lengths and repetition") {
  const Config config = decoded(R"("runtimeConfig": {"ips": ["10.42.0.7/16", ""]},)"
                                R"("args": {"cni": {"ips": ["10.42.0.8"]}})",
                                "IgnoreUnknown=1;IP=10.42.0.7,fd00::7/64");
  CHECK(config.addresses.requested == std::vector{ip("10.42.0.7"), ip("10.42.0.8"), ip("fd00::7")});
  CHECK(decoded("", "IP=").addresses.requested.empty());
}

TEST_CASE("a requested address is a unicast address") {
  for (const std::string text : {"0.0.0.0", "127.0.0.5", "224.0.0.9", "255.255.255.255", "::", "::1", "ff02::5", "x",
                                 "10.42.0.300", "+10.42.0.7", "10.42.0.7/+24", "10.42.0.7/33"}) {
    CAPTURE(text);
    CHECK(addCode(configWithIpam(R"("runtimeConfig": {"ips": [")" + text + "\"]}")) == 7);
    CHECK(addCode(configWithIpam(R"("args": {"cni": {"ips": [")" + text + "\"]}}")) == 7);
    CHECK(addCode(configWithIpam(""), withArgs("IP=" + text)) == 7);
  }
}

TEST_CASE("a nameserver is a unicast address") {
  for (const std::string text : {"0.0.0.0", "224.0.0.9", "255.255.255.255", "::", "ff02::5", "x", "1.1.1.1/32"}) {
    CAPTURE(text);
    CHECK(addCode(configWithIpam(R"("dns": {"nameservers": [")" + text + "\"]}")) == 7);
    CHECK(addCode(configWithIpam(R"("runtimeConfig": {"dns": {"Servers": [")" + text + "\"]}}")) == 7);
  }
  CHECK(decoded(R"("dns": {"nameservers": ["127.0.0.53"]})").dns.nameservers == std::vector{ip("127.0.0.53")});
}

TEST_CASE("the MAC: runtimeConfig before args.cni before CNI_ARGS, and always a unicast address") {
  const std::string runtime = R"("runtimeConfig": {"mac": "02-00-00-00-00-03"})";
  const std::string args = R"("args": {"cni": {"mac": "02:00:00:00:00:02"}})";
  const auto mac = [](const std::string& members, const std::string& cniArgs) {
    const auto decodedMac = decoded(members, cniArgs).mac;
    return decodedMac ? decodedMac->toString() : "none";
  };
  CHECK(mac("", "") == "none");
  CHECK(mac("", "MAC=02:00:00:00:00:01") == "02:00:00:00:00:01");
  CHECK(mac(args, "MAC=02:00:00:00:00:01") == "02:00:00:00:00:02");
  CHECK(mac(runtime + "," + args, "MAC=02:00:00:00:00:01") == "02:00:00:00:00:03");
  CHECK(mac(R"("runtimeConfig": {"mac": ""})", "MAC=02:00:00:00:00:01") == "02:00:00:00:00:01");
  for (const std::string text : {"00:00:00:00:00:00", "01:00:5e:00:00:01", "ff:ff:ff:ff:ff:ff", "02:00", "x"}) {
    CAPTURE(text);
    CHECK(addCode(configWithIpam(R"("runtimeConfig": {"mac": ")" + text + "\"}")) == 7);
    CHECK(addCode(configWithIpam(""), withArgs("MAC=" + text)) == 7);
  }
}

TEST_CASE("dns: runtimeConfig before dns before the file of resolvConf") {
  std::string path = "/tmp/pons-resolv-XXXXXX";
  const int fd = mkstemp(path.data());
  REQUIRE(fd >= 0);
  constexpr std::string_view kContent = "nameserver 192.0.2.53\n";
  REQUIRE(write(fd, kContent.data(), kContent.size()) == static_cast<ssize_t>(kContent.size()));
  close(fd);
  const std::string ipam = R"("ipam": {"subnet": "10.42.0.0/24", "resolvConf": ")" + path + "\"}";
  const std::string dns = R"(, "dns": {"nameservers": ["10.0.0.1"], "domain": "d", "search": ["s"], "options": ["o"]})";
  const std::string runtime = R"(, "runtimeConfig": {"dns": {"Servers": ["10.0.0.10"], "Searches": null}})";
  const std::string nothing = R"(, "runtimeConfig": {"dns": {"Servers": null, "Searches": null, "Options": null}})";
  const auto chosen = [](const std::string& members) { return add(config(members))->config.dns; };

  CHECK(chosen(ipam).nameservers == std::vector{ip("192.0.2.53")});
  CHECK(chosen(ipam + dns) == Dns{{ip("10.0.0.1")}, "d", {"s"}, {"o"}});
  CHECK(chosen(ipam + dns + runtime) == Dns{{ip("10.0.0.10")}, "", {}, {}});
  CHECK(chosen(ipam + dns + nothing).domain == "d");

  REQUIRE(std::remove(path.c_str()) == 0);
  const auto unreadable = add(config(ipam));
  REQUIRE_FALSE(unreadable.ok());
  CHECK(unreadable.error().code == ErrorCode::Io);
  CHECK(unreadable.error().message.find(path) != std::string::npos);
}

TEST_CASE("a path of a resolv.conf with a zero byte is refused, not cut short") {
  CHECK(addCode(config(R"("ipam": {"subnet": "10.42.0.0/24", "resolvConf": "/dev/null\u0000x"})")) == 7);
  CHECK(addCode(config(R"("ipam": {"subnet": "10.42.0.0/24", "resolvConf": "/dev/null"})")) == 0);
}

TEST_CASE("the container's root is an absolute path that the ledger can make a name of") {
  CHECK(decoded(R"("runtimeConfig": {"rootfs": "/run/c/rootfs"})").rootfs == "/run/c/rootfs");
  CHECK(!decoded(R"("runtimeConfig": {"rootfs": ""})").rootfs);
  const std::string endless = "/" + std::string(250, 'x');
  for (const std::string& path :
       {std::string{"run"}, std::string{"/run/../x"}, std::string{"/run\\u0000"}, std::string{"/run\\n"}, endless}) {
    CAPTURE(path);
    CHECK(addCode(configWithIpam(R"("runtimeConfig": {"rootfs": ")" + path + R"("})")) == 7);
  }
}

TEST_CASE("resolv.conf is read as the resolver reads it") {
  const Dns dns = parseResolvConf(
      "# comment\n; another\nnameserver 192.0.2.53\r\nnameserver\t2001:db8::53\nnameserver fe80::1%eth0\n"
      "nameserver nonsense\nnameserver\nsearch old.example\n\nsearch a.example b.example\ndomain one\ndomain two\n"
      "options ndots:2 edns0\noptions rotate\nunknown x");
  CHECK(dns.nameservers == std::vector{ip("192.0.2.53"), ip("2001:db8::53")});
  CHECK(dns.domain == "two");
  CHECK(dns.search == std::vector<std::string>{"a.example", "b.example"});
  CHECK(dns.options == std::vector<std::string>{"ndots:2", "edns0", "rotate"});
  CHECK(parseResolvConf("").empty());
}

TEST_CASE("a line of a resolv.conf with control characters is none that can be used") {
  CHECK(parseResolvConf(std::string{"search a\0b", 10}).empty());
  CHECK(parseResolvConf("search ok\nsearch a\vb\noptions x\x7f\nnameserver 192.0.2.1\f\ndomain \x01\n").search ==
        std::vector<std::string>{"ok"});
  CHECK(parseResolvConf("options a\x01").options.empty());
}

TEST_CASE("what is written of DNS settings is read again as the same") {
  const Dns dns{.nameservers = {ip("192.0.2.53"), ip("2001:db8::53")},
                .domain = "demo.test",
                .search = {"a.test", "b.test"},
                .options = {"ndots:2", "rotate"}};
  CHECK(printResolvConf(dns) ==
        "nameserver 192.0.2.53\nnameserver 2001:db8::53\ndomain demo.test\nsearch a.test b.test\n"
        "options ndots:2 rotate\n");
  CHECK(parseResolvConf(printResolvConf(dns)) == dns);
  CHECK(printResolvConf(Dns{}).empty());
}

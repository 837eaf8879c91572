// ponsctl doctor on hosts with one problem each, and on a healthy one with three containers.
#include "plugin/model/link_alias.h"

#include "tests/support/attachments.h"
#include "tests/support/root_fs.h"
#include "tests/tools/doctor_run.h"

using namespace support;

namespace {

const std::string kIpv4 = R"("ipam": {"subnet": "10.42.0.0/24"})";
const std::string kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

std::vector<std::string> attachThree(Network& network, FakeHost& host) {
  std::vector<std::string> addresses;
  for (const char* name : {"c1", "c2", "c3"}) addresses.push_back(network.attach(host, name));
  return addresses;
}

void checkFine() {
  const Findings findings;
  CHECK_MESSAGE(findings.ok(), findings.text());
}

void checkFinding(const std::string& verdict, const std::string& what) {
  CAPTURE(what);
  const Findings findings;
  CHECK_MESSAGE(findings.haveIds(), findings.text());
  CHECK_MESSAGE(findings.with(what).verdict == verdict, findings.text());
}

/// Creates empty files until the file system has no inode left.
void useAllInodes(const std::string& directory) {
  for (int i = 0; std::ofstream{directory + "/" + std::to_string(i)}.is_open(); ++i) {}
}

}  // namespace

TEST_CASE("On a host: ponsctl doctor says of three healthy containers what it looked at, and finds no problem") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured("demo", kDual);
  demo.attach(host, "c1", publishing({{8080, 80}}));
  demo.attach(host, "c2", publishing({{8081, 80}}));
  demo.attach(host, "c3");
  const Unchanged unchanged{host};
  const Findings healthy;
  CHECK_MESSAGE(healthy.ok(), healthy.text());
  const std::string all = "container c1, container c2, container c3";
  for (const std::string& looked :
       {std::string{"state directory /run/pons: "}, std::string{"no other state directory is in use"},
        std::string{"3 attachments recorded, no faults and no leftovers"},
        std::string{"addresses of 3 container interfaces: the host has none of them"},
        std::string{"MTU of 3 container interfaces: the same at both ends of the veth, and not larger than that of "
                    "uplink uplink (1500)"},
        std::string{"nameservers of 1 configuration and 0 resolv.confs written: none is a loopback address"},
        std::string{"4 published ports: no program of the host listens there"},
        "none drops all packets from or to " + all, std::string{"sysctls as needed: IP forwarding, IPv6"},
        std::string{"not running: NetworkManager"}}) {
    CAPTURE(looked);
    CHECK_MESSAGE(healthy.with(looked).verdict == "fine", healthy.text());
  }
  const Outcome text = doctorRun();
  CHECK(contains(text.out, "No problems found in what was checked"));
}

TEST_CASE("On a host: ponsctl doctor says what it could not check") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured("demo", kIpv4);
  attachThree(demo, host);
  checkFinding("not checked", "MTU of uplinks");
  shell("mount --bind /dev/null /run/netns/c2");
  checkFinding("not checked", "MTU inside container c2");
  shell("umount /run/netns/c2");
  checkFine();
}

TEST_CASE("On a host: ponsctl doctor finds a state directory without room for a record") {
  REQUIRE_FAKE_HOST(host);
  shell("mkdir /run/disk && mount -t tmpfs -o size=8m,nr_inodes=8000,mode=0755 tmpfs /run/disk");
  const std::string stateDir = R"(, "stateDir": "/run/disk/pons")";
  Network demo = configured("demo", kIpv4 + stateDir);
  attachThree(demo, host);
  const std::vector<std::string> options{"--state-dir", "/run/disk/pons"};
  const auto finding = [&options] { return Findings{options}.with("state directory /run/disk/pons: "); };
  CHECK(finding().verdict == "fine");
  shell("dd if=/dev/zero of=/run/disk/large bs=1k count=7000 2>/dev/null");
  CHECK(finding().verdict == "warning");
  shell("dd if=/dev/zero of=/run/disk/larger bs=4k 2>/dev/null || true");
  CHECK(finding().verdict == "fault");
  CHECK(contains(finding().what, "0 B free"));
  const Network more{"more", R"("ipam": {"subnet": "10.43.0.0/24"})" + stateDir};
  host.addNamespace("c4");
  CHECK(!add(more.config(), subjectOf("c4")).ok());
  shell("rm /run/disk/large /run/disk/larger");
  CHECK(finding().verdict == "fine");
  shell("mkdir /run/disk/many");
  useAllInodes("/run/disk/many");
  CHECK(finding().verdict == "fault");
  CHECK(contains(finding().what, " 0 inodes free"));
  CHECK(!add(more.config(), subjectOf("c4")).ok());
  shell("mount -o remount,size=16m,nr_inodes=16000 /run/disk");  // the other remedy
  CHECK(finding().verdict == "fine");
}

TEST_CASE("On a host: ponsctl doctor finds a container's address on another link of the host") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured("demo", kDual);
  const auto addresses = attachThree(demo, host);
  std::string ipv6OfC2 = outputOf({"sh", "-c", "ip -n c2 -6 -o addr show dev eth0 scope global | grep -o 'fd42[^/]*'"});
  ipv6OfC2.pop_back();  // the newline
  shell("ip link add lan type veth peer name other && ip link set lan up");
  std::string unused = "10.42.0.200";  // those of containers are random
  while (std::ranges::find(addresses, unused) != addresses.end()) ++unused.back();
  shell("ip address add " + unused + "/32 dev lan");
  checkFine();
  for (const std::string& address : {addresses.at(1) + "/32", ipv6OfC2 + "/64"}) {
    CAPTURE(address);
    shell("ip address add " + address + " dev lan");
    const Findings twice;
    const auto finding = twice.with("is also one of the host, on lan: the host does not reach the container");
    CHECK_MESSAGE(finding.verdict == "fault", twice.text());
    CHECK(finding.what.starts_with("address " + address.substr(0, address.find('/')) + " of container c"));
    applyRemedy(finding);
    checkFinding("", "is also one of the host");
  }
}

TEST_CASE("On a host: ponsctl doctor finds disabled IPv6 where a network has IPv6 addresses") {
  REQUIRE_FAKE_HOST(host);
  Network four = configured("four", R"("ipam": {"subnet": "10.41.0.0/24"})");
  four.attach(host, "c1");
  shell("echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
  checkFinding("note", "net.ipv6.conf.default.disable_ipv6 is 1");
  Network demo = configured("demo", kDual);
  checkFinding("fault", "net.ipv6.conf.default.disable_ipv6 is 1, but networks have IPv6 addresses: demo");
  shell("echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6");
  demo.attach(host, "c2");
  demo.attach(host, "c3");
  checkFine();
  shell("rm /run/net.d/demo.conf; echo 1 > /proc/sys/net/ipv6/conf/pons-demo/disable_ipv6");
  checkFinding("fault", "net.ipv6.conf.pons-demo.disable_ipv6 is 1, but networks have IPv6 addresses: demo");
  shell("echo 0 > /proc/sys/net/ipv6/conf/pons-demo/disable_ipv6");
  CHECK(repair().ok());
  checkFine();
}

TEST_CASE("On a host: ponsctl doctor finds containers that send larger packets than an uplink takes") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured("demo", kIpv4);
  attachThree(demo, host);
  Network fitting = configured("auto", R"("mtu": "auto", "ipam": {"subnet": "10.43.0.0/24"})");
  Network inner = configured("inner", R"("internal": true, "ipam": {"subnet": "10.44.0.0/24"})");
  configured("later", R"("mtu": 1450, "ipam": {"subnet": "10.45.0.0/24"})");
  checkFine();
  shell("ip link set uplink mtu 1400");
  fitting.attach(host, "c4");
  inner.attach(host, "c5");
  const std::string start = "MTU 1400 of uplink uplink is smaller than ";
  checkFinding("warning", start + "1500 of container c1, container c2, container c3: ");
  checkFinding("warning", start + "1450 of network later: ");
  checkFinding("", "of network auto");
  checkFinding("", "of network inner");
  for (const char* name : {"c1", "c2", "c3"}) CHECK(demo.del(name).ok());
  shell("rm /run/net.d/later.conf /run/net.d/demo.conf");
  checkFine();
}

TEST_CASE("On a host: ponsctl doctor finds a container whose MTU differs from its veth's") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured("demo", kIpv4);
  attachThree(demo, host);
  shell("ip -n c1 link set eth0 mtu 1400; ip -n c3 link set eth0 mtu 1400");
  checkFinding("warning", "MTU 1400 inside and 1500 at the host's end of the veth of container c1, container c3: ");
  shell("ip -n c1 link set eth0 mtu 1500; ip -n c3 link set eth0 mtu 1500");
  checkFine();
  const std::string veth = pons::hostVethName(keyOf("c2")).toString();
  shell("ip link set " + veth + " mtu 1300");
  checkFinding("fault", "MTU 1500 inside and 1300 at the host's end of the veth of container c2: ");
  shell("ip link set " + veth + " mtu 1500");
  checkFine();
  shell("ip link set pons-demo mtu 1200");
  const Findings small;
  const auto finding =
      small.with("MTU 1200 of bridge pons-demo is smaller than 1500 of container c1, container c2, container c3: ");
  CHECK_MESSAGE(finding.verdict == "warning", small.text());
  applyRemedy(finding);
  checkFine();
}

TEST_CASE("On a host: ponsctl doctor finds a container that has changed its MAC address") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured("demo", kIpv4);
  attachThree(demo, host);
  checkFine();
  shell("ip -n c2 link set eth0 address 02:00:00:00:00:01");
  checkFinding("fault", "1 attachment is incomplete");
  CHECK(contains(tool({"check"}).out, "02:00:00:00:00:01"));
}

TEST_CASE("On a host: ponsctl doctor finds nameservers that a container looks for in itself") {
  REQUIRE_FAKE_HOST(host);
  configured("good", R"("dns": {"nameservers": ["192.0.2.53"]}, "ipam": {"subnet": "10.41.0.0/24"})");
  checkFine();
  configured("stub", R"("dns": {"nameservers": ["192.0.2.53", "127.0.0.53"]}, "ipam": {"subnet": "10.42.0.0/24"})");
  checkFinding("warning", "nameserver 127.0.0.53 is given to network stub: ");
  shell("rm /run/net.d/stub.conf; echo nameserver ::1 > /run/stub.conf");
  configured("file", R"("ipam": {"subnet": "10.43.0.0/24", "resolvConf": "/run/stub.conf"})");
  checkFinding("warning", "nameserver ::1 is given to network file: ");
  shell("rm /run/net.d/file.conf");
  checkFine();
  const RootFs root;
  Network written{"written", R"("dns": {"nameservers": ["127.0.0.1"]}, "ipam": {"subnet": "10.44.0.0/24"})"};
  written.attach(host, "c1", R"("runtimeConfig": {"rootfs": ")" + root.path() + R"("})");
  checkFinding("warning", "nameserver 127.0.0.1 is given to container c1: ");
  CHECK(written.del("c1").ok());
  checkFine();
}

TEST_CASE("On a host: ponsctl doctor finds the links of a second ledger, and networks that configure one") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured("demo", kIpv4);
  attachThree(demo, host);
  shell("ip link add other0 type bridge && ip link set other0 alias '" + pons::bridgeAlias("/run/other") + "'");
  const std::string two =
      "two ledgers: links or tables of this host belong to state directory /run/other, not to /run/pons";
  checkFinding("warning", two);
  shell(std::string{PONSCTL_BINARY} + " gc --delete --state-dir /run/other --config-dir /run/netns");
  checkFinding("", two);
  checkFine();
  configured("away", R"("bridge": "away0", "stateDir": "/run/other", "ipam": {"subnet": "10.43.0.0/24"})");
  checkFinding("warning", "networks with another \"stateDir\" than /run/pons: away (/run/other)");
  shell("rm /run/net.d/away.conf");
  checkFine();
}

TEST_CASE("On a host: ponsctl doctor finds lost reservations, of addresses and of published ports") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured("demo", kIpv4);
  demo.attach(host, "c1");
  const std::string address = demo.attach(host, "c2", publishing({{8080, 80}}));
  demo.attach(host, "c3");
  for (const std::string& claim : {"networks/demo/addresses/" + address, std::string{"ports/tcp-8080/0.0.0.0"}}) {
    CAPTURE(claim);
    shell("rm /run/pons/" + claim);
    const Findings lost;
    const auto finding = lost.with("which container c2 uses: the next ADD may give it to another container");
    CHECK_MESSAGE(finding.verdict == "fault", lost.text());
    CHECK(finding.what.starts_with("lost reservation of "));
    CHECK(finding.remedy == "run \"ponsctl repair\"");
    CHECK(lost.with("incomplete").verdict == "");
    CHECK(repair().ok());
    checkFine();
  }
}

TEST_CASE("On a host: ponsctl doctor notes networks of which other hosts may reach every port, with an uplink") {
  REQUIRE_FAKE_HOST(host);
  const std::string what = "other hosts with a route to the containers of ";
  Network open = configured("open", R"("bridge": "pons1", "ipam": {"subnet": "10.42.0.0/24"})");
  Network beside = configured("beside", R"("bridge": "pons1", "ipam": {"subnet": "10.43.0.0/24"})");
  Network closed =
      configured("closed", R"("bridge": "pons2", "publishedOnly": true, "ipam": {"subnet": "10.44.0.0/24"})");
  Network inner = configured("inner", R"("bridge": "pons3", "internal": true, "ipam": {"subnet": "10.45.0.0/24"})");
  Network flat = configured("flat", R"("bridge": "pons4", "isGateway": false, "ipam": {"subnet": "10.46.0.0/24"})");
  int number = 0;
  for (Network* network : {&closed, &inner, &flat, &beside, &open}) {
    network->attach(host, "c" + std::to_string(++number));
  }
  CHECK_MESSAGE(!contains(doctorRun().out, what), "without an uplink");
  host.addOutside();
  const Findings found;
  CHECK_MESSAGE(found.with(what + "beside, open reach all of their ports").verdict == "note", found.text());
  CHECK_MESSAGE(contains(doctorRun().out, "\"publishedOnly\": true"), doctorRun().out);
  // One container that asks for it is enough for the bridge.
  beside.attach(host, "c6", R"("publishedOnly": true)");
  CHECK(!contains(doctorRun().out, what));
}

// ponsctl probe on a host: published ports and nameservers.
#include "tests/support/root_fs.h"
#include "tests/tools/probe_run.h"

using namespace support;

TEST_CASE("ponsctl probe: a published port at which nothing listens in the container") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured(kSubnet);
  demo.attach(host, "c1");
  const std::string second = demo.attach(host, "c2", publishing({{8080, 80}}));
  const std::string program = second + ":80";
  for (const char* address : {"192.0.2.1:8080", "127.0.0.1:8080"}) {
    probe("c2", kPatient)
        .check("published tcp 8080", address, "fault", "refused: nothing listens in the container at " + program);
  }
  shell("ip -n c2 link set lo up");
  const Server local{in("c2"), Transport::Tcp, endpoint("127.0.0.1", 80), "c2"};
  const ProbeRun inside = probe("c2", kPatient);
  CHECK(inside.outcome.exitCode == 1);
  inside.check("published tcp 8080", "192.0.2.1:8080", "fault", program + ", only at 127.0.0.1:80");
  const Server server{in("c2"), Transport::Tcp, endpoint(second, 80), "c2"};
  CHECK(probe("c2", kPatient).outcome.ok());
}

TEST_CASE("ponsctl probe: where connections to a published port end although a program listens") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured(kSubnet);
  const std::string first = demo.attach(host, "c1", publishing({{8080, 80}}));
  const Server server{in("c1"), Transport::Tcp, endpoint("0.0.0.0", 80), "c1"};
  // Without an uplink: at the bridge's address.
  CHECK(probe("c1", kPatient).outcome.ok());
  probe("c1", kPatient).check("published tcp 8080", "10.42.0.1:8080", "answered");

  addWall("output", "output ip daddr " + first + " tcp dport 80 drop");
  probe("c1", kImpatient)
      .check("published tcp 8080", "127.0.0.1:8080", "fault",
             "a program listens in the container at " + first + ":80: dropped between host and container");
  shell("nft delete table inet wall");
  // Before DNAT, after conntrack.
  shell(
      "nft add table inet wall && nft 'add chain inet wall output { type filter hook output priority -150; }' && "
      "nft 'add rule inet wall output tcp dport 8080 drop'");
  const ProbeRun before = probe("c1", kImpatient);
  before.check("published tcp 8080", "127.0.0.1:8080", "fault", "so the packets end on this host");
  shell("nft delete table inet wall");

  shell("nft flush map ip pons forwards_any");
  probe("c1", kPatient)
      .check("published tcp 8080", "127.0.0.1:8080", "fault", "refused: the rule that forwards the port is missing");
  const Server foreign{kHere, Transport::Tcp, endpoint("0.0.0.0", 8080), "host"};
  const ProbeRun taken = probe("c1", kPatient);
  CHECK(taken.outcome.exitCode == 1);
  taken.check("published tcp 8080", "127.0.0.1:8080", "fault", " by a program of the host: the rule that forwards");
}

TEST_CASE("ponsctl probe: ports of one address, and UDP, which cannot be proved") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured(kSubnet);
  demo.attach(host, "c1", R"("runtimeConfig": {"portMappings": [
    {"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": "127.0.0.1"},
    {"hostPort": 5353, "containerPort": 53, "protocol": "udp"}]})");
  const Server server{in("c1"), Transport::Tcp, endpoint("0.0.0.0", 80), "c1"};
  const ProbeRun run = probe("c1", kPatient);
  CHECK_MESSAGE(run.outcome.ok(), run.outcome.out);
  run.check("published tcp 8080", "127.0.0.1:8080", "answered");
  run.check("published udp 5353", "0.0.0.0:5353", "unproved", "only an answer of its program would prove it");
}

TEST_CASE("ponsctl probe: nameservers that do not answer, refuse, are the container's own, or are in its resolv.conf") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  Network demo = configured(kSubnet + R"(, "dns": {"nameservers": ["192.0.2.2", "192.0.2.99", "127.0.0.53"]})");
  demo.attach(host, "c1");
  shell("ip -n c1 link set lo up");
  const ProbeRun run = probe("c1", kImpatient);
  CHECK(run.outcome.exitCode == 1);
  run.check("nameserver", "192.0.2.2:53", "fault", "refused: no DNS server listens there");
  run.check("nameserver", "192.0.2.99:53", "fault", "no answer; the host gets no answer either");
  run.check("nameserver", "127.0.0.53:53", "fault", "refused, at the container's own loopback");

  const DnsServer names{outside, "192.0.2.2"};
  probe("c1", kImpatient).check("nameserver", "192.0.2.2:53", "answered");
  addWall("forward", "forward udp dport 53 drop");
  probe("c1", kImpatient).check("nameserver", "192.0.2.2:53", "fault", "no answer; the host gets an answer");
  shell("nft delete table inet wall");

  // That of the container, whatever the configuration says by now.
  const RootFs root;
  Network own{"own", R"("ipam": {"subnet": "10.43.0.0/24"}, "dns": {"nameservers": ["192.0.2.2"]})"};
  own.attach(host, "c2", R"("runtimeConfig": {"rootfs": "/run/root"})");
  const ProbeRun recorded = probe("c2", kPatient);
  CHECK_MESSAGE(recorded.outcome.ok(), recorded.outcome.out);
  recorded.check("nameserver", "192.0.2.2:53", "answered");
}

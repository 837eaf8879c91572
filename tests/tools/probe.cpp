// ponsctl probe on a host: what answers, what the configuration denies, and where the rest ends.
#include <list>

#include "tests/tools/probe_run.h"

using namespace support;

TEST_CASE("ponsctl probe: gateways, a neighbour, next hops, published ports and the nameserver answer") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  Network demo = configured(R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]},)"
                            R"( "dns": {"nameservers": ["192.0.2.2", "2001:db8:1::2"]})");
  demo.attach(host, "c1", publishing({{8080, 80}, {8443, 443}}));
  const std::string second = demo.attach(host, "c2");
  demo.attach(host, "c3");
  std::list<Server> servers;
  for (const std::uint16_t port : {std::uint16_t{80}, std::uint16_t{443}}) {
    for (const char* any : {"0.0.0.0", "::"}) servers.emplace_back(in("c1"), Transport::Tcp, endpoint(any, port), "c1");
  }
  const DnsServer names4{outside, "192.0.2.2"};
  const DnsServer names6{outside, "2001:db8:1::2"};
  const Unchanged unchanged{host};

  const ProbeRun all = probe("c1", kPatient);
  CHECK_MESSAGE(all.outcome.ok(), all.outcome.out);
  const std::vector<std::pair<std::string, std::string>> wanted{{"gateway", "10.42.0.1"},
                                                                {"gateway", "fd42::1"},
                                                                {"neighbour c2", second},
                                                                {"next hop", "192.0.2.2"},
                                                                {"next hop", "2001:db8:1::2"},
                                                                {"published tcp 8080", "192.0.2.1:8080"},
                                                                {"published tcp 8080", "127.0.0.1:8080"},
                                                                {"published tcp 8080", "[2001:db8:1::1]:8080"},
                                                                {"published tcp 8443", "192.0.2.1:8443"},
                                                                {"published tcp 8443", "127.0.0.1:8443"},
                                                                {"published tcp 8443", "[2001:db8:1::1]:8443"},
                                                                {"nameserver", "192.0.2.2:53"},
                                                                {"nameserver", "[2001:db8:1::2]:53"}};
  for (const auto& [target, address] : wanted) all.check(target, address, "answered", "answered in ");
  CHECK_MESSAGE(all.rows().size() == wanted.size() + 1, all.outcome.out);  // and the neighbour's IPv6 address
  for (const auto& row : all.rows()) {
    CHECK_MESSAGE(textOf(row["verdict"]) == "answered", all.outcome.out);
    CHECK(row["microseconds"].integer().value_or(-1) >= 0);
  }

  const ProbeRun other = probe("c3", kPatient);
  CHECK(other.outcome.ok());
  CHECK_MESSAGE(contains(other.outcome.out, "neighbour c1"), other.outcome.out);
  const Outcome text = probeText("c1", kPatient);
  CHECK(text.ok());
  CHECK_MESSAGE(contains(text.out, "c1"), text.out);
  CHECK_MESSAGE(contains(text.out, "published tcp 8080"), text.out);
  checkWidth(text.out, 80);
}

TEST_CASE("ponsctl probe: a damaged record and a missing namespace are reported, and the others are probed") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured(kSubnet);
  const std::string longId(64, 'a');
  for (const std::string& name : {std::string{"c1"}, std::string{"c2"}, longId}) demo.attach(host, name);
  for (const bool isDamaged : {true, false}) {
    CAPTURE(isDamaged);
    if (isDamaged) {
      shell("echo noise > " + recordOf(demo, "c1"));
    } else {
      host.endNamespace("/run/netns/c2");
    }
    const ProbeRun run = probe("demo", kPatient);
    CHECK(run.outcome.exitCode == 1);
    CHECK(run.document["attachments"].items().size() == (isDamaged ? 2 : 1));
    const auto problems = run.document["problems"].items();
    REQUIRE(problems.size() == (isDamaged ? 1 : 2));
    CHECK_MESSAGE(contains(run.outcome.err, "ponsctl probe: demo c1 eth0: "), run.outcome.err);
  }
  const Outcome text = probeText("demo", kPatient);
  CHECK_MESSAGE(contains(text.out, "container " + longId.substr(0, 12) + ", eth0 in network demo\n"), text.out);
  checkWidth(text.out, 80);
  CHECK(contains(tool({"probe", longId, "--timeout", kPatient}).out, "container " + longId + ", eth0"));
}

TEST_CASE("ponsctl probe: usage errors, an unknown container, and one whose namespace is gone") {
  REQUIRE_FAKE_HOST(host);
  CHECK(tool({"probe"}).exitCode == 2);
  CHECK(tool({"probe", "c1", "--timeout", "0"}).exitCode == 2);
  CHECK(tool({"probe", "c1", "--timeout", "soon"}).exitCode == 2);
  CHECK(tool({"probe", "c1"}).exitCode == 1);
  Network demo = configured(kSubnet);
  demo.attach(host, "c1");
  CHECK(tool({"probe", "d"}).exitCode == 1);
  host.endNamespace("/run/netns/c1");
  const Outcome gone = tool({"probe", "c1"});
  CHECK(gone.exitCode == 1);
  CHECK_MESSAGE(contains(gone.err, "/run/netns/c1"), gone.err);
}

TEST_CASE("ponsctl probe: no default route on the host, and a gateway address that nobody has") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured(kSubnet);
  demo.attach(host, "c1");
  const ProbeRun sound = probe("c1", kPatient);
  CHECK(sound.outcome.ok());
  sound.check("next hop", "IPv4", "unproved", "no default route on this host");
  CHECK(sound.rows().size() == 2);  // no neighbour, no nameserver
  demo.attach(host, "c2");
  shell("ip addr flush dev pons-demo");
  const ProbeRun removed = probe("c2", kImpatient);
  CHECK(removed.outcome.exitCode == 1);
  removed.check("gateway", "10.42.0.1", "fault", "no answer: ARP does not resolve it on pons-demo");
}

TEST_CASE("ponsctl probe: another host answers for the gateway address") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured(kSubnet);
  demo.attach(host, "c1");
  host.addNamespace("other");
  shell("ip addr flush dev pons-demo");
  shell("ip link add rogue type veth peer name eth0 netns other && ip link set rogue master pons-demo up");
  shell("ip -n other addr add 10.42.0.1/24 dev eth0 && ip -n other link set eth0 up");
  const ProbeRun run = probe("c1", kPatient);
  CHECK(run.outcome.exitCode == 1);
  run.check("gateway", "10.42.0.1", "fault", ", which is not pons-demo: another host has the address");
}

TEST_CASE("ponsctl probe: a container that has changed its address meets the spoof guard") {
  REQUIRE_FAKE_HOST(host);
  Network demo = configured(kSubnet);
  demo.attach(host, "c1");
  shell("ip -n c1 addr flush dev eth0 && ip -n c1 addr add 10.42.0.77/24 dev eth0");
  const ProbeRun run = probe("c1", kImpatient);
  CHECK(run.outcome.exitCode == 1);
  run.check("gateway", "10.42.0.1", "fault", "meanwhile the spoof guard dropped ");
  shell("ip -n c1 link set eth0 down");
  probe("c1", kImpatient).check("gateway", "10.42.0.1", "fault", "no route in the container");
}

TEST_CASE("ponsctl probe: neighbours that the configuration isolates, and that are not isolated any more") {
  for (const auto& [member, word] : {std::pair<std::string, std::string>{R"("portIsolation": true)", "portIsolation"},
                                     {R"("ingressPolicy": "isolated")", "ingressPolicy"}}) {
    CAPTURE(word);
    REQUIRE_FAKE_HOST(host);
    Network demo = configured(kSubnet + ", " + member);
    demo.attach(host, "c1");
    const std::string second = demo.attach(host, "c2");
    const ProbeRun isolated = probe("c1", kImpatient);
    CHECK_MESSAGE(isolated.outcome.ok(), isolated.outcome.out);
    isolated.check("neighbour c2", second, "denied", "not allowed by " + word);
    if (word != "portIsolation") continue;  // drops in the forward chain, too
    shell(
        "for link in $(ip -o link show master pons-demo | cut -d ' ' -f 2 | cut -d @ -f 1); do "
        "bridge link set dev $link isolated off; done");
    const ProbeRun open = probe("c1", kPatient);
    CHECK(open.outcome.exitCode == 1);
    open.check("neighbour c2", second, "fault", ", but not allowed by " + word);
  }
}

TEST_CASE("ponsctl probe: a rule in the forward hook drops or rejects what a container sends") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured(kSubnet);
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  addWall("forward", "forward ip daddr 192.0.2.2 drop");
  const ProbeRun dropped = probe("c2", kImpatient);
  CHECK(dropped.outcome.exitCode == 1);
  dropped.check("gateway", "10.42.0.1", "answered");
  dropped.check("next hop", "192.0.2.2", "fault", "no answer; the host gets an answer");
  shell(
      "nft flush chain inet wall forward && "
      "nft 'add rule inet wall forward ip daddr 192.0.2.2 reject with icmp type admin-prohibited'");
  const ProbeRun rejected = probe("c2", kPatient);
  rejected.check("next hop", "192.0.2.2", "fault", "ICMP: administratively prohibited, from 10.42.0.1");
  shell("nft flush chain inet wall forward");
  shell("ip netns exec outside sh -c 'echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all'");
  const ProbeRun silent = probe("c1", kImpatient);
  CHECK_MESSAGE(silent.outcome.ok(), silent.outcome.out);
  silent.check("next hop", "192.0.2.2", "unproved", "the host gets no answer either");
}

TEST_CASE(
    "ponsctl probe: without masquerade the next hop needs a route back, and on an internal network none is tried") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  Network demo = configured(kSubnet + R"(, "ipMasq": false)");
  demo.attach(host, "c1");
  probe("c1", kImpatient).check("next hop", "192.0.2.2", "fault", "Not masqueraded: it needs a route");
  shell("ip -n outside route add 10.42.0.0/24 via 192.0.2.1");
  probe("c1", kPatient).check("next hop", "192.0.2.2", "answered");

  Network inner{"inner", R"("internal": true, "ipam": {"subnet": "10.43.0.0/24"})"};
  inner.attach(host, "c2");
  const ProbeRun internal = probe("c2", kImpatient);
  CHECK_MESSAGE(internal.outcome.ok(), internal.outcome.out);
  internal.check("gateway", "10.43.0.1", "answered");
  internal.check("next hop", "192.0.2.2", "denied", "the network is internal");
}

TEST_CASE("ponsctl probe: egressPolicy denies some of the targets") {
  REQUIRE_FAKE_HOST(host);
  if (!std::filesystem::exists("/proc/sys/net/bridge")) return FakeHost::countSkip("needs br_netfilter");
  const std::string outside = host.addOutside();
  const DnsServer names{outside, "192.0.2.2"};
  Network demo = configured(kSubnet + R"(, "dns": {"nameservers": ["192.0.2.2"]}, "egressPolicy": )"
                                      R"({"allowedCidrs": ["192.0.2.0/24"]})");
  demo.attach(host, "c1");
  const std::string second = demo.attach(host, "c2");
  const ProbeRun run = probe("c1", kPatient);
  CHECK_MESSAGE(run.outcome.ok(), run.outcome.out);
  run.check("gateway", "10.42.0.1", "denied", "denied by egressPolicy");
  run.check("neighbour c2", second, "denied", "denied by egressPolicy");
  run.check("next hop", "192.0.2.2", "answered");
  run.check("nameserver", "192.0.2.2:53", "answered");

  // One that is not in force any more.
  shell("nft flush chain ip pons egress");
  const ProbeRun open = probe("c1", kPatient);
  CHECK(open.outcome.exitCode == 1);
  open.check("gateway", "10.42.0.1", "fault", ", but denied by egressPolicy");
}

TEST_CASE("ponsctl probe: a policy of ports denies ICMP, and DNS that it does not allow") {
  REQUIRE_FAKE_HOST(host);
  if (!std::filesystem::exists("/proc/sys/net/bridge")) return FakeHost::countSkip("needs br_netfilter");
  const std::string outside = host.addOutside();
  const DnsServer names{outside, "192.0.2.2"};
  for (const bool allowsDns : {true, false}) {
    CAPTURE(allowsDns);
    Network demo = configured(kSubnet +
                              R"(, "dns": {"nameservers": ["192.0.2.2"]}, "egressPolicy": )"
                              R"({"allowedCidrs": ["192.0.2.0/24"], "allowedTcpPorts": [443], "allowDns": )" +
                              (allowsDns ? "true}" : "false}"));
    const std::string container = allowsDns ? "c1" : "c2";
    demo.attach(host, container);
    const ProbeRun run = probe(container, allowsDns ? kPatient : kImpatient);
    CHECK_MESSAGE(run.outcome.ok(), run.outcome.out);
    run.check("next hop", "192.0.2.2", "denied", "denied by egressPolicy");
    run.check("nameserver", "192.0.2.2:53", allowsDns ? "answered" : "denied");
  }
}

// portmap behind a main plugin of others, of which pons has no record.
#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

/// What a plugin as ptp makes: a routed veth, with the host's end under a name of its own.
std::string attachByHand(const std::string& container, const std::string& last) {
  shell("ip link add v-" + container + " type veth peer name eth0 netns " + container + "; ip link set v-" + container +
        " up; ip -n " + container + " link set lo up; ip -n " + container +
        " link set eth0 up;"
        "ip -n " +
        container + " addr add 172.16.31." + last +
        "/24 dev eth0;"
        "ip -n " +
        container + " addr add fd31::" + last +
        "/64 dev eth0 nodad;"
        "ip route add 172.16.31." +
        last + " dev v-" + container + "; ip -6 route add fd31::" + last + " dev v-" + container +
        "; ip addr add 172.16.31.1/32 dev v-" + container + "; ip addr add fd31::1/128 dev v-" + container +
        " nodad;"
        "ip -n " +
        container +
        " route add default via 172.16.31.1;"
        "ip -n " +
        container + " -6 route add default via fd31::1");
  return R"({"cniVersion": "1.0.0", "interfaces": [{"name": "v-)" + container +
         R"("}, {"name": "eth0", "sandbox": "/run/netns/)" + container +
         R"("}], "ips": [{"interface": 1, "address": "172.16.31.)" + last +
         R"(/24"}, {"interface": 1, "address": "fd31::)" + last + R"(/64"}]})";
}

const Link kPortmap{"portmap", R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80},
                                  {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]})"};

std::string flows() {
  return outputOf({"sh", "-c", "for f in ipv4 ipv6; do conntrack -L -f $f 2>/dev/null | grep dport=8080; done || :"});
}

}  // namespace

TEST_CASE("DEL of portmap deletes conntrack entries of its own ports only, with any main plugin") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  const std::string outside = host.addOutside();
  shell("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
  int number = 2;
  for (const std::string container : {"c1", "c2", "c3"}) {
    CAPTURE(container);
    host.addNamespace(container);
    const std::string previous = attachByHand(container, std::to_string(number++));
    const Place place = "/run/netns/" + container;
    const Server udp4{place, Transport::Udp, endpoint("0.0.0.0", 80), container};
    const Server udp6{place, Transport::Udp, endpoint("::", 80), container};
    const Server tcp4{place, Transport::Tcp, endpoint("0.0.0.0", 80), container};
    const Server tcp6{place, Transport::Tcp, endpoint("::", 80), container};
    const std::string config = withPrevious(kPortmap.config(), previous);
    resultOf(Plugins::call("portmap", "ADD", config, subjectOf(container)));
    for (const auto& [there, here] : {std::pair{"192.0.2.1", "192.0.2.2"}, {"2001:db8:1::1", "2001:db8:1::2"}}) {
      CAPTURE(there);
      const AskOptions sameFlow{.source = endpoint(here, 9999)};
      CHECK(ask(outside, Transport::Udp, endpoint(there, 8080), sameFlow).value_or("") == container + " " + here);
      CHECK(ask(outside, Transport::Tcp, endpoint(there, 8080)).value_or("") == container + " " + here);
      // Not by the port.
      CHECK(ask(
          kHere, Transport::Udp,
          endpoint(there[0] == '1' ? "172.16.31." + std::to_string(number - 1) : "fd31::" + std::to_string(number - 1),
                   80)));
    }
    CHECK(flows() != "");
    const std::string others = outputOf({"sh", "-c", "conntrack -L 2>/dev/null | grep -c dport=80\\  || :"});
    checkSilent(Plugins::call("portmap", "DEL", config, subjectOf(container)));
    CHECK(flows() == "");
    CHECK(outputOf({"sh", "-c", "conntrack -L 2>/dev/null | grep -c dport=80\\  || :"}) == others);
    CHECK(ledgerText().empty());
  }
}

TEST_CASE("A living container of a foreign main plugin keeps its port, a dead one gives it up") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  for (const char* container : {"c1", "c2"}) host.addNamespace(container);
  const std::string first = withPrevious(kPortmap.config(), attachByHand("c1", "2"));
  const std::string second = withPrevious(kPortmap.config(), attachByHand("c2", "3"));
  resultOf(Plugins::call("portmap", "ADD", first, subjectOf("c1")));
  // Its path means nothing here, and its link, which prevResult named, proves that it lives.
  shell("mount --bind /dev/null /run/netns/c1");
  checkError(Plugins::call("portmap", "ADD", second, subjectOf("c2")), pons::cni::ErrorCode::InvalidConfig,
             {"container c1"});
  shell("umount /run/netns/c1");
  host.endNamespace("/run/netns/c1");
  const Outcome added = Plugins::call("portmap", "ADD", second, subjectOf("c2"));
  resultOf(added);
  CHECK(contains(added.err, "reclaimed demo c1 eth0 portmap"));
}

TEST_CASE("CHECK of chained plugins has no fault where prevResult lists only the host's link, as calico's does") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  shell("sysctl -qw net.ipv4.ip_forward=1");
  const std::vector<Link> links{kPortmap,
                                {"firewall", ""},
                                {"bandwidth", R"("ingressRate": 1000000, "ingressBurst": 100000)"},
                                {"tuning", R"("sysctl": {"net.core.somaxconn": "500"})"}};
  int number = 2;
  for (const std::string container : {"c1", "c2"}) {
    host.addNamespace(container);
    const std::string last = std::to_string(number++);
    const std::string both = attachByHand(container, last);
    const std::string hostOnly = R"({"cniVersion": "1.0.0", "interfaces": [{"name": "v-)" + container +
                                 R"("}], "ips": [{"address": "172.16.31.)" + last + R"(/24"}]})";
    for (const std::string& previous : {both, hostOnly}) {
      for (const Link& link : links) {
        CAPTURE(link.plugin);
        const std::string config = withPrevious(link.config(), previous);
        const Outcome added = Plugins::call(link.plugin, "ADD", config, subjectOf(container));
        REQUIRE_MESSAGE(added.ok(), added.out);
        checkSilent(Plugins::call(link.plugin, "CHECK", config, subjectOf(container)));
        checkSilent(Plugins::call(link.plugin, "DEL", config, subjectOf(container)));
      }
    }
  }
}

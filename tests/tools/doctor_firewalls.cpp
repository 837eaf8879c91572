// ponsctl doctor on a host whose firewalls drop what containers send or receive.
#include "tests/tools/doctor_run.h"

using namespace support;

namespace {

const std::string kAddresses = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

/// A chain that accepts what its rules do not drop.
void addWall(const std::string& rules) {
  write("/run/wall.nft", "table inet wall {\n" + rules + "\n}\n");
  shell("nft -f /run/wall.nft");
}

std::string chainOf(const std::string& rule) {
  return "chain way { type filter hook forward priority 5; policy accept;\n" + rule + "\n}";
}

/// A rule that drops, and what is said about it.
struct Drop {
  std::string rules;
  std::string what;
};

}  // namespace

TEST_CASE("On a host: ponsctl doctor finds chains that drop forwarded traffic") {
  REQUIRE_FAKE_HOST(host);
  shell(
      "nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; "
      "}'");
  Network demo = configured("demo", kAddresses);
  const std::string chain = "nf_tables chain ip filter FORWARD drops unmatched packets";
  CHECK(Findings{}.with(chain + ": pons adds accept rules").verdict == "note");
  for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name, name[1] == '1' ? publishing({{8080, 80}}) : "");
  const Findings accepting;
  CHECK_MESSAGE(accepting.ok(), accepting.text());
  CHECK(accepting.with(chain + "; it accepts forwarded traffic of pons-demo").verdict == "fine");
  shell("nft flush chain ip filter FORWARD");
  const Findings flushed;
  const auto finding = flushed.with(chain + ", including forwarded traffic of pons-demo");
  CHECK_MESSAGE(finding.verdict == "fault", flushed.text());
  CHECK(finding.remedy == "ponsctl repair");
  CHECK(repair().ok());
  CHECK(Findings{}.ok());
  shell("nft insert rule ip filter FORWARD counter drop");  // before the rules of pons, which are all there
  const Findings shadowed;
  CHECK_MESSAGE(shadowed.with("FORWARD drops packets from container c1, container c2, container c3").verdict == "fault",
                shadowed.text());
  applyRemedy(shadowed.with("FORWARD drops packets from"));
  CHECK(Findings{}.ok());
}

TEST_CASE("On a host: ponsctl doctor finds the policy of iptables-legacy") {
  REQUIRE_FAKE_HOST(host);
  CHECK(Findings{}.with("iptables-legacy IPv4 has no filter table").verdict == "fine");
  Network demo = configured("demo", kAddresses);
  Network own = configured("own", R"("forward": "off", "ipam": {"subnet": "10.43.0.0/24"})");
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  for (const std::string program : {"iptables-legacy", "ip6tables-legacy"}) {
    CAPTURE(program);
    shell(program + " -P FORWARD DROP");
    const Findings dropping;
    const auto finding =
        dropping.with(program + " chain FORWARD drops unmatched packets, including forwarded traffic of pons-demo");
    CHECK_MESSAGE(finding.verdict == "fault", dropping.text());
    CHECK(finding.remedy == "ponsctl repair");
    CHECK(repair().ok());
    const Findings repaired;
    CHECK_MESSAGE(repaired.ok(), repaired.text());
    CHECK(repaired.with(program + " chain FORWARD drops unmatched packets; it accepts").verdict == "fine");
  }
  own.attach(host, "c3");
  const Findings closed;
  CHECK_MESSAGE(
      closed.with("iptables-legacy chain FORWARD drops unmatched packets and has no rule that accepts traffic "
                  "of pons-own")
              .verdict == "warning",
      closed.text());
  shell("iptables-legacy -N own; iptables-legacy -A FORWARD -j own; iptables-legacy -A own -i pons-own -j ACCEPT");
  CHECK(!Findings{}.ok());  // replies are dropped
  shell("iptables-legacy -A own -o pons-own -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
  const Findings opened;
  CHECK_MESSAGE(opened.ok(), opened.text());
  shell("iptables-legacy -I FORWARD -s 10.42.0.0/24 -j DROP");
  CHECK(
      Findings{}.with("iptables-legacy chain FORWARD drops packets from container c1, container c2: a rule").verdict ==
      "fault");
}

TEST_CASE("On a host: ponsctl doctor finds rules that drop by an address or an interface, also in sets and maps") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured("demo", kAddresses);
  const std::string first = demo.attach(host, "c1", publishing({{8080, 80}}));
  const std::string second = demo.attach(host, "c2");
  demo.attach(host, "c3");
  const std::string all = "container c1, container c2, container c3";
  for (const Drop& drop : std::vector<Drop>{
           {chainOf("ip saddr " + second + " drop"), "drops packets from container c2: a rule (handle "},
           {chainOf("ip saddr { " + first + ", 192.0.2.99 } reject"),
            "drops packets from container c1: a rule with an anonymous set (handle "},
           {"set blocked { type ipv4_addr; elements = { " + first + ", " + second + " }; }\n" +
                chainOf("ip saddr @blocked drop"),
            "drops packets from container c1, container c2: a rule with set blocked"},
           {"set blocked { type ipv4_addr; flags interval; elements = { 10.42.0.0/16, 10.50.0.1-10.50.0.9 }; }\n" +
                chainOf("ip daddr @blocked counter drop"),
            "drops replies to " + all + ": a rule with set blocked"},
           {"set blocked { type ipv6_addr; flags interval; elements = { fd42::/48 }; }\n" +
                chainOf("ip6 saddr @blocked drop"),
            "drops packets from " + all + ": a rule with set blocked"},
           {"set links { type ifname; elements = { \"pons-demo\", \"other\" }; }\n" + chainOf("oifname @links drop"),
            "drops connections to published ports of container c1: a rule with set links"},
           {chainOf("iifname { \"pons-*\", \"x\" } drop"), "drops packets from " + all},
           {"set pairs { type ifname . ipv4_addr; flags interval; elements = { \"pons-demo\" . 10.42.0.0/24 }; }\n" +
                chainOf("iifname . ip saddr @pairs drop"),
            "drops packets from " + all + ": a rule with set pairs"},
           {chainOf("iifname vmap { \"pons-demo\" : drop, \"eth9\" : accept }"), "drops packets from " + all},
           {"chain quarantine { counter; drop; }\n" +
                chainOf("iifname \"pons-demo\" oifname \"uplink\" jump quarantine"),
            "drops packets from " + all + ": a rule of chain quarantine"},
           {chainOf("ct state established ip daddr 10.42.0.0/24 drop"), "drops replies to " + all}}) {
    CAPTURE(drop.rules);
    addWall(drop.rules);
    const std::string what = "nf_tables chain inet wall way " + drop.what;
    const Findings dropping;
    const auto finding = dropping.with(what);
    CHECK_MESSAGE(finding.verdict == "fault", dropping.text());
    CHECK(finding.remedy.starts_with("nft delete rule inet wall "));
    applyRemedy(finding);
    const Findings after;
    CHECK_MESSAGE(after.with(what).verdict == "", after.text());
    shell("nft delete table inet wall");
  }
  CHECK(Findings{}.ok());
}

TEST_CASE("On a host: ponsctl doctor tells rules about other hosts and about some packets from those that drop all") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  Network demo = configured("demo", kAddresses);
  const std::string first = demo.attach(host, "c1");
  for (const char* name : {"c2", "c3"}) demo.attach(host, name);
  for (const std::string& rules :
       {"set blocked { type ipv4_addr; flags interval; elements = { 10.41.0.0/16, 10.43.0.0/16 }; }\n" +
            chainOf("ip saddr @blocked drop; ip daddr @blocked drop"),
        chainOf("iifname { \"docker0\", \"br-*\" } drop; iifname \"pons-other\" drop"),
        chainOf("ct state vmap { invalid : drop, established : accept }; iifname \"eth9\" drop"),
        chainOf("ip6 saddr fd43::/64 drop; ip6 daddr fd43::/64 drop")}) {
    CAPTURE(rules);
    addWall(rules);
    const Findings none;
    CHECK_MESSAGE(none.ok(), none.text());
    CHECK(none.with("none drops all packets from or to container c1, container c2, container c3").verdict == "fine");
    shell("nft delete table inet wall");
  }
  addWall("set blocked { type ipv4_addr; elements = { " + first + " }; }\n" +
          chainOf("ip saddr @blocked tcp dport 25 drop; udp dport 53 drop"));
  const Findings some;
  CHECK_MESSAGE(some.ok(), some.text());
  CHECK(some.with("drops some packets from container c1: a rule with set blocked").verdict == "note");
  CHECK(some.with("rules of forward chains that drop by the other end's address, port").verdict == "not checked");
}

TEST_CASE("On a host: ponsctl doctor checks for accept rules of the administrator where \"forward\" is \"off\"") {
  REQUIRE_FAKE_HOST(host);
  shell(
      "nft add table inet wall; nft 'add chain inet wall wayout { type filter hook forward priority 0; policy drop; "
      "}'");
  Network own{"own", R"("forward": "off", "ipam": {"subnet": "10.42.0.0/24"})"};
  own.attach(host, "c1");
  const auto missing = Findings{}.with(
      "inet wall wayout drops unmatched packets and has no rule that accepts traffic of pons-own (\"forward\": "
      "\"off\")");
  CHECK(missing.verdict == "warning");
  shell(
      "nft add chain inet wall fromown; nft add rule inet wall fromown iifname pons-own accept; nft add rule inet wall "
      "wayout jump fromown");
  CHECK(!Findings{}.ok());  // replies are dropped
  shell("nft add rule inet wall wayout ct state established,related accept");
  CHECK_MESSAGE(Findings{}.ok(), doctorRun().out);
  shell("iptables-nft -P FORWARD DROP");
  CHECK(Findings{}
            .with("ip filter FORWARD drops unmatched packets and has no rule that accepts traffic of pons-own")
            .verdict == "warning");
  shell(
      "iptables-nft -A FORWARD -i pons-own -j ACCEPT; "
      "iptables-nft -A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
  CHECK_MESSAGE(Findings{}.ok(), doctorRun().out);
}

// The rules of nf_tables and x_tables as packets meet them, compared with the verdict that the rule says.
#include <doctest/doctest.h>

#include "netlib/filter/x_tables.h"
#include "netlib/nft/hook.h"
#include "netlib/rtnl/link.h"

#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"
#include "tests/support/text.h"

using namespace support;
using netlib::Family;
using netlib::filter::Match;
using netlib::filter::Packet;
namespace filter = netlib::filter;
namespace nft = netlib::nft;

namespace {

void shell(const std::string& commands) { outputOf({"sh", "-ec", commands}); }

Packet outgoing(Family family = Family::Ipv4) {
  const bool isIpv4 = family == Family::Ipv4;
  return {.family = family,
          .iifname = "pons0",
          .oifname = "eth0",
          .iif = 1,
          .source = ip(isIpv4 ? "10.42.0.7" : "fd42::7"),
          .ctState = filter::kNew};
}

Packet published() {
  return {.family = Family::Ipv4,
          .iifname = "eth0",
          .oifname = "pons0",
          .destination = ip("10.42.0.7"),
          .ctState = filter::kNew,
          .isDnat = true};
}

/// A rule's conditions, and whether those packets match.
struct Case {
  std::string conditions;
  Match ofIpv4;
  Match ofIpv6;
  Match ofPublished;
};
constexpr Match kNo = Match::No;
constexpr Match kYes = Match::Yes;
constexpr Match kUnknown = Match::Unknown;

Match matchOf(const std::vector<filter::Rule>& rules) {
  if (rules.empty()) return kNo;
  CHECK(rules.front().verdict == filter::Verdict::Drop);
  return rules.front().conditional ? kUnknown : kYes;
}

const nft::Table kTable{nft::TableFamily::Inet, "t"};

netlib::Socket open() { return netlib::Socket::open(netlib::Socket::Subsystem::Netfilter).value(); }

}  // namespace

TEST_CASE("Rules of nf_tables match a packet by what is known of it, directly and by sets") {
  REQUIRE_FAKE_HOST(host);
  for (const Case& one :
       std::vector<Case>{{"", kYes, kYes, kYes},
                         {"counter", kYes, kYes, kYes},
                         {"iifname pons0", kYes, kYes, kNo},
                         {"iifname \"pons*\"", kYes, kYes, kNo},
                         {"iifname != pons0", kNo, kNo, kYes},
                         {"oifname pons0", kNo, kNo, kYes},
                         {"iif lo", kYes, kYes, kUnknown},
                         {"meta nfproto ipv6", kNo, kYes, kNo},
                         {"ip saddr 10.42.0.7", kYes, kNo, kUnknown},
                         {"ip saddr 10.42.0.0/16", kYes, kNo, kUnknown},
                         {"ip saddr 10.32.0.0/11", kYes, kNo, kUnknown},
                         {"ip saddr 10.43.0.0/16", kNo, kNo, kUnknown},
                         {"ip saddr != 10.42.0.0/20", kNo, kNo, kUnknown},
                         {"ip saddr 10.42.0.5-10.42.0.9", kYes, kNo, kUnknown},
                         {"ip saddr 10.42.0.8-10.42.0.9", kNo, kNo, kUnknown},
                         {"ip daddr 10.42.0.7", kUnknown, kNo, kYes},
                         {"ip6 saddr fd42::/64", kNo, kYes, kNo},
                         {"ip6 saddr fd43::/64", kNo, kNo, kNo},
                         {"ct state new", kYes, kYes, kYes},
                         {"ct state established,related", kNo, kNo, kNo},
                         {"ct status dnat", kNo, kNo, kYes},
                         {"ct status assured", kUnknown, kUnknown, kUnknown},
                         {"ct mark 7", kUnknown, kUnknown, kUnknown},
                         {"tcp dport 80", kUnknown, kUnknown, kUnknown},
                         {"iifname pons0 tcp dport 80", kUnknown, kUnknown, kNo},
                         {"fib daddr type local", kUnknown, kUnknown, kUnknown},
                         {"iifname pons0 limit rate 1/second", kUnknown, kUnknown, kNo},
                         {"iifname { pons0, pons1 }", kYes, kYes, kNo},
                         {"iifname { \"pon*\", \"x\" }", kYes, kYes, kNo},
                         {"iifname != { pons0, pons1 }", kNo, kNo, kYes},
                         {"ip saddr { 10.42.0.6, 10.42.0.7 }", kYes, kNo, kUnknown},
                         {"ip saddr { 10.42.0.0-10.42.0.6, 10.42.0.8/29 }", kNo, kNo, kUnknown},
                         {"ip saddr { 10.42.0.0-10.42.0.7, 10.43.0.0/16 }", kYes, kNo, kUnknown},
                         {"ip saddr @addresses", kYes, kNo, kUnknown},
                         {"ip saddr @none", kNo, kNo, kUnknown},
                         {"iifname . ip saddr { pons0 . 10.42.0.7, pons1 . 10.42.0.8 }", kYes, kNo, kNo},
                         {"iifname . ip saddr { pons1 . 10.42.0.0/24, pons0 . 10.42.0.0-10.42.0.9 }", kYes, kNo, kNo},
                         {"ip saddr . tcp dport { 10.42.0.7 . 80 }", kUnknown, kNo, kUnknown},
                         {"ip saddr . tcp dport { 10.42.0.8 . 80 }", kNo, kNo, kUnknown}}) {
    CAPTURE(one.conditions);
    setContent("/run/t.nft",
               "table inet t {\n set addresses { type ipv4_addr; flags interval; elements = { 10.42.0.0/24 }; }\n"
               " set none { type ipv4_addr; }\n chain c {\n" +
                   one.conditions + " drop\n}\n}\n");
    shell("nft -f /run/t.nft");
    netlib::Socket netfilter = open();
    nft::ChainReader reader{netfilter};
    CHECK(matchOf(reader.rulesFor(kTable, "c", outgoing()).value()) == one.ofIpv4);
    CHECK(matchOf(reader.rulesFor(kTable, "c", outgoing(Family::Ipv6)).value()) == one.ofIpv6);
    CHECK(matchOf(reader.rulesFor(kTable, "c", published()).value()) == one.ofPublished);
    CHECK(nft::listRules(netfilter, kTable, "c").value().size() == 1);
    shell("nft delete table inet t");
  }
}

TEST_CASE("A map of verdicts decides by what is known; a rule tells whether it names the packet, and by which set") {
  REQUIRE_FAKE_HOST(host);
  setContent("/run/t.nft", R"(table inet t {
    set mine { type ipv4_addr; flags interval; elements = { 10.42.0.0/24 }; }
    chain sub { drop; }
    chain named { ip saddr @mine drop; }
    chain general { ct state new drop; }
    chain jumps { iifname vmap { "pons0" : goto sub, "eth0" : accept }; }
    chain ports { tcp dport vmap { 80 : accept, 81 : drop }; }
  })");
  shell("nft -f /run/t.nft");
  netlib::Socket netfilter = open();
  nft::ChainReader reader{netfilter};
  const auto only = [&](const std::string& chain, const Packet& packet) {
    const auto rules = reader.rulesFor(kTable, chain, packet).value();
    REQUIRE(rules.size() == 1);
    return rules.front();
  };
  CHECK(only("named", outgoing()).isNamed);
  CHECK(only("named", outgoing()).set == "mine");
  CHECK(!only("named", published()).isNamed);
  CHECK(!only("general", outgoing()).isNamed);
  CHECK(only("jumps", outgoing()).verdict == filter::Verdict::Goto);
  CHECK(only("jumps", outgoing()).target == "sub");
  CHECK(only("jumps", outgoing()).isNamed);
  CHECK(only("jumps", published()).verdict == filter::Verdict::Accept);
  CHECK(only("ports", outgoing()).conditional);
  CHECK(reader.rulesFor(kTable, "missing", outgoing()).value().empty());
  const auto rulesOf = [&](const std::string& chain) { return reader.rulesFor(kTable, chain, outgoing()); };
  CHECK(filter::fateOf("ports", false, rulesOf).value().undecided == 1);
  const auto fate = filter::fateOf("jumps", false, rulesOf).value();
  REQUIRE(fate.by);
  CHECK(fate.by->chain == "sub");
  CHECK(fate.by->rule.isNamed);
}

TEST_CASE("Rules of iptables-legacy are read without executing it, in both families") {
  REQUIRE_FAKE_HOST(host);
  struct LegacyCase {
    std::string conditions;
    Match outgoing;
    Match published;
  };
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const bool isIpv4 = family == Family::Ipv4;
    const std::string program = isIpv4 ? "iptables-legacy" : "ip6tables-legacy";
    const std::string own = isIpv4 ? "10.42.0." : "fd42::";
    Packet toPublished = published();
    toPublished.family = family;
    toPublished.destination = ip(own + "7");
    for (const LegacyCase& one : std::vector<LegacyCase>{{"", kYes, kYes},
                                                         {"-i pons0", kYes, kNo},
                                                         {"-i pons+", kYes, kNo},
                                                         {"! -i pons0", kNo, kYes},
                                                         {"-o pons0", kNo, kYes},
                                                         {"-s " + own + "7", kYes, kUnknown},
                                                         {"-s " + own + "0/" + (isIpv4 ? "24" : "64"), kYes, kUnknown},
                                                         {"! -s " + own + "7", kNo, kUnknown},
                                                         {"-d " + own + "7", kUnknown, kYes},
                                                         {"-d " + own + "8", kUnknown, kNo},
                                                         {"-p tcp", kUnknown, kUnknown},
                                                         {"-i pons0 -p tcp --dport 80", kUnknown, kNo},
                                                         {"-m conntrack --ctstate NEW", kYes, kYes},
                                                         {"-m conntrack --ctstate ESTABLISHED,RELATED", kNo, kNo},
                                                         {"-m conntrack ! --ctstate ESTABLISHED", kYes, kYes},
                                                         {"-m conntrack --ctstate DNAT", kNo, kYes},
                                                         {"-m mark --mark 7", kUnknown, kUnknown},
                                                         {"-i pons0 -m comment --comment words", kYes, kNo}}) {
      CAPTURE(program);
      CAPTURE(one.conditions);
      shell(program + " -F; " + program + " -A FORWARD " + one.conditions + " -j DROP");
      const auto table = netlib::x_tables::FilterTable::readIfPresent(family).value().value();
      CHECK(!table.forwardPolicyDrops());
      CHECK(matchOf(table.rulesFor("FORWARD", outgoing(family))) == one.outgoing);
      CHECK(matchOf(table.rulesFor("FORWARD", toPublished)) == one.published);
    }
    shell(program + " -F; " + program + " -P FORWARD DROP; " + program + " -N one; " + program + " -N two; " + program +
          " -A FORWARD -j one; " + program + " -A one -g two; " + program + " -A one -j DROP; " + program +
          " -A two -m comment --comment 'my words' -j RETURN; " + program + " -A INPUT -j DROP");
    const auto table = netlib::x_tables::FilterTable::readIfPresent(family).value().value();
    CHECK(table.forwardPolicyDrops());
    CHECK(table.hasChain("two"));
    CHECK(table.rulesFor("two", {}).front().comment == "my words");
    CHECK(table.rulesFor("FORWARD", {}).size() == 1);
    const auto fate = filter::fateOf("FORWARD", true, [&](const std::string& chain) {
      return netlib::Result<std::vector<filter::Rule>>{table.rulesFor(chain, {})};
    });
    CHECK(fate.value().drops);
    CHECK(!fate.value().by);  // by the policy: "goto two" returns to FORWARD
  }
}

TEST_CASE(
    "A chain of iptables-legacy drops what no condition speaks of by its policy or by a rule without conditions") {
  REQUIRE_FAKE_HOST(host);
  CHECK(!netlib::x_tables::FilterTable::readIfPresent(Family::Ipv4).value());
  CHECK(outputOf({"cat", "/proc/net/ip_tables_names"}).empty());  // it was not made by that
  const auto drops = [](const std::string& policy, const std::string& rules) {
    const std::string text = "*filter\n:INPUT DROP\n:FORWARD " + policy + "\n:user -\n:deep -\n" + rules + "COMMIT\n";
    REQUIRE(run({"iptables-legacy-restore"}, {.environment = {}, .input = text}).ok());
    const auto table = netlib::x_tables::FilterTable::readIfPresent(Family::Ipv4).value().value();
    const auto rulesOf = [&table](const std::string& chain) -> netlib::Result<std::vector<filter::Rule>> {
      return table.rulesFor(chain, {});
    };
    return filter::drops("FORWARD", table.forwardPolicyDrops(), rulesOf).value();
  };
  for (const auto& [rules, expected] : std::vector<std::pair<std::string, bool>>{
           {"", false},
           {"-A FORWARD -j DROP\n", true},
           {"-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n", true},
           {"-A FORWARD -m comment --comment \"the \\\"rest\\\"\" -j DROP\n", true},
           {"-A FORWARD -i eth0 -j DROP\n", false},
           {"-A FORWARD ! -i eth0 -m comment --comment x -j DROP\n", false},
           {"-A FORWARD -j ACCEPT\n-A FORWARD -j DROP\n", false},
           {"-A FORWARD -j LOG --log-prefix \"-j DROP\"\n", false},
           {"-A FORWARD -m conntrack --ctstate INVALID -j DROP\n", false},
           {"-A FORWARD -j user\n-A user -j deep\n-A deep -j DROP\n", true},
           {"-A FORWARD -j user\n-A user -s 10.0.0.0/8 -j deep\n-A deep -j DROP\n", false},
           {"-A FORWARD -j user\n-A FORWARD -j DROP\n-A user -j RETURN\n-A user -j ACCEPT\n", true},
           {"-A FORWARD -g user\n-A FORWARD -j DROP\n-A user -j RETURN\n", false},
           {"-A FORWARD\n-A FORWARD -j DROP\n", true}}) {
    CAPTURE(rules);
    CHECK(drops("ACCEPT", rules) == expected);
  }
  CHECK(drops("DROP", ""));
  CHECK(drops("DROP", "-A FORWARD -i eth0 -j ACCEPT\n"));
  CHECK(drops("DROP", "-A FORWARD -g user\n-A FORWARD -j ACCEPT\n"));
  CHECK_FALSE(drops("DROP", "-A FORWARD -j ACCEPT\n"));
  CHECK_FALSE(drops("DROP", "-A FORWARD -j user\n-A user -j ACCEPT\n"));
}

// Accept rules in the chains of a host firewall that drops unmatched forwarded packets.
#include <doctest/doctest.h>

#include "plugin/engine/sweep.h"
#include "plugin/steps/steps.h"

#include "tests/support/attachments.h"
#include "tests/support/differences.h"
#include "tests/support/eventually.h"
#include "tests/support/plan_cases.h"

using namespace support;

namespace {

pons::StepPointer accepted(const pons::Attachment& attachment) {
  return pons::forwardAccepted(attachment, attachment.bridge.name);
}

void shell(const std::string& commands) { outputOf({"sh", "-ec", commands}); }

/// How hosts drop, each with the command that shows its rules.
struct Firewall {
  std::string commands;
  std::string show;
};

const std::vector<Firewall>& firewalls() {
  static const std::vector<Firewall> all{
      {"iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -i eth9 -j ACCEPT", "iptables-nft -S FORWARD"},
      {"ip6tables-nft -A FORWARD -j REJECT", "ip6tables-nft -S FORWARD"},
      {"iptables-legacy -P FORWARD DROP; iptables-legacy -A FORWARD -i eth9 -j ACCEPT", "iptables-legacy -S FORWARD"},
      {"ip6tables-legacy -N reject; ip6tables-legacy -A FORWARD -j reject; ip6tables-legacy -A reject -j REJECT",
       "ip6tables-legacy -S FORWARD"},
      {"nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; "
       "}'",
       "nft -s list chain inet filter forward"},
      {"nft 'add table ip fw; add chain ip fw way { type filter hook forward priority 10; }; add rule ip fw way "
       "counter "
       "log reject'",
       "nft -s list chain ip fw way"},
      {"nft 'add table ip6 fw; add chain ip6 fw last; add rule ip6 fw last drop; "
       "add chain ip6 fw way { type filter hook forward priority 10; }; add rule ip6 fw way jump last'",
       "nft -s list chain ip6 fw way"}};
  return all;
}

pons::Attachment attachment(const std::string& bridge = "pons0") {
  pons::Attachment made = attachmentOf(keyOf("c1"), {});
  made.bridge.name = netlib::IfName::parse(bridge).value();
  made.acceptForward = true;
  return made;
}

std::size_t marksIn(const std::string& text, const std::string& bridge = "pons0") {
  std::size_t count = 0;
  const std::string mark = "\"pons forward " + bridge + "\"";
  for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) ++count;
  return count;
}

std::string shown(const Firewall& firewall) { return outputOf({"sh", "-ec", firewall.show}); }

/// Every rule of every program, as it was before and must be afterwards.
std::string rules() {
  return outputOf({"nft", "-s", "list", "ruleset"}) + outputOf({"sh", "-c", "iptables-legacy -S; ip6tables-legacy -S"});
}

}  // namespace

TEST_CASE("A chain that drops is answered in that very chain, and is as before afterwards") {
  for (const Firewall& firewall : firewalls()) {
    CAPTURE(firewall.commands);
    REQUIRE_FAKE_HOST(fake);
    shell(firewall.commands);
    pons::Host host = openHost();
    const std::string before = shown(firewall);
    const pons::Attachment with = attachment();
    const auto step = accepted(with);
    CHECK(differencesOf(*step, host) != "");
    const auto applied = step->apply(host);
    REQUIRE_MESSAGE(applied.ok(), applied.error().message);
    CHECK(marksIn(shown(firewall)) == 3);
    CHECK(differencesOf(*step, host) == "");
    const std::string once = shown(firewall);
    REQUIRE(step->apply(host).ok());
    REQUIRE(step->repair(host).ok());
    CHECK(shown(firewall) == once);
    REQUIRE(step->undo(host).ok());
    CHECK(shown(firewall) == before);
    REQUIRE(step->undo(host).ok());
    CHECK(dumpLedger() == "");
  }
}

TEST_CASE("All dropping chains are answered at once, for each bridge on its own") {
  REQUIRE_FAKE_HOST(fake);
  for (const Firewall& firewall : firewalls()) shell(firewall.commands);
  const std::string before = rules();
  pons::Host host = openHost();
  const pons::Attachment first = attachment("pons0");
  const pons::Attachment second = attachment("br-x");
  REQUIRE(accepted(first)->apply(host).ok());
  REQUIRE(accepted(second)->apply(host).ok());
  for (const Firewall& firewall : firewalls()) {
    CAPTURE(firewall.show);
    CHECK(marksIn(shown(firewall), "pons0") == 3);
    CHECK(marksIn(shown(firewall), "br-x") == 3);
  }
  REQUIRE(accepted(first)->undo(host).ok());
  CHECK(differencesOf(*accepted(first), host) != "");
  CHECK(differencesOf(*accepted(second), host) == "");
  REQUIRE(accepted(second)->undo(host).ok());
  CHECK(rules() == before);
}

TEST_CASE("Chains that accept, other hooks and other families are left alone, and x_tables is not even loaded") {
  REQUIRE_FAKE_HOST(fake);
  shell(
      "iptables-nft -P INPUT DROP; iptables-nft -A FORWARD -i eth9 -j DROP;"
      "nft 'add table inet t; add chain inet t in { type filter hook input priority 0; policy drop; };"
      "     add chain inet t way { type filter hook forward priority 0; }; add rule inet t way ct state invalid drop;"
      "     add table bridge t; add chain bridge t way { type filter hook forward priority 0; policy drop; }'");
  pons::Host host = openHost();
  const std::string before = fake.dump();
  const pons::Attachment with = attachment();
  const auto step = accepted(with);
  CHECK(differencesOf(*step, host) == "");
  REQUIRE(step->apply(host).ok());
  CHECK(difference(before, fake.dump()) == "");
  REQUIRE(step->undo(host).ok());
  CHECK(difference(before, fake.dump()) == "");
  CHECK(outputOf({"cat", "/proc/net/ip_tables_names"}) == "");
}

TEST_CASE("iptables-nft still lists, saves and changes a chain with our rules in it") {
  REQUIRE_FAKE_HOST(fake);
  shell("iptables-nft -P FORWARD DROP; iptables-nft -A FORWARD -i eth9 -j ACCEPT");
  pons::Host host = openHost();
  const pons::Attachment with = attachment();
  REQUIRE(accepted(with)->apply(host).ok());
  const std::string expected =
      "-P FORWARD DROP\n"
      "-A FORWARD -i pons0 -m comment --comment \"pons forward pons0\" -j ACCEPT\n"
      "-A FORWARD -o pons0 -m conntrack --ctstate RELATED,ESTABLISHED -m comment --comment \"pons forward pons0\" -j "
      "ACCEPT\n"
      "-A FORWARD -o pons0 -m conntrack --ctstate DNAT -m comment --comment \"pons forward pons0\" -j ACCEPT\n"
      "-A FORWARD -i eth9 -j ACCEPT\n";
  CHECK(outputOf({"iptables-nft", "-S", "FORWARD"}) == expected);
  const std::string saved = outputOf({"iptables-nft-save"});
  CHECK(saved.find("incompatible") == std::string::npos);
  CHECK(marksIn(saved) == 3);

  shell("iptables-nft -I FORWARD -j LOG; iptables-nft -D FORWARD -i eth9 -j ACCEPT; iptables-nft -N x");
  CHECK(differencesOf(*accepted(with), host) == "");
  shell("iptables-nft-save >/run/saved; iptables-nft-restore </run/saved");
  CHECK(marksIn(outputOf({"iptables-nft", "-S", "FORWARD"})) == 3);
  CHECK(differencesOf(*accepted(with), host) == "");
  REQUIRE(accepted(with)->undo(host).ok());
  CHECK(outputOf({"iptables-nft", "-S", "FORWARD"}) == "-P FORWARD DROP\n-A FORWARD -j LOG\n");
}

TEST_CASE("Lost rules are noticed and come back; a firewall that came later is answered by repair") {
  REQUIRE_FAKE_HOST(fake);
  pons::Host host = openHost();
  const pons::Attachment with = attachment();
  const auto step = accepted(with);
  REQUIRE(step->apply(host).ok());
  for (const Firewall& firewall : firewalls()) {
    CAPTURE(firewall.commands);
    shell(firewall.commands);
    const std::string before = shown(firewall);
    const std::string found = differencesOf(*step, host);
    CHECK_MESSAGE(found.find("firewall accept rules for bridge pons0 in ") != std::string::npos, found);
    REQUIRE(step->repair(host).ok());
    CHECK(differencesOf(*step, host) == "");
    CHECK(marksIn(shown(firewall)) == 3);
    CHECK(shown(firewall) != before);
  }
  shell(
      "nft delete rule ip filter FORWARD handle $(nft -a list chain ip filter FORWARD | sed -n 's/.*dnat.*handle "
      "//p')");
  REQUIRE(differencesOf(*step, host) != "");
  REQUIRE(step->repair(host).ok());
  CHECK(marksIn(shown(firewalls().front())) == 3);
}

TEST_CASE("The admin's chain is asked before our rules, wherever it is") {
  REQUIRE_FAKE_HOST(fake);
  shell(
      "iptables-nft -P FORWARD DROP; iptables-nft -N ADMIN; iptables-legacy -N ADMIN; iptables-legacy -A FORWARD -j "
      "LOG;"
      "nft 'add table inet other; add chain inet other f { type filter hook forward priority 5; policy drop; }'");
  const std::string before = rules();
  pons::Host host = openHost();
  pons::Attachment with = attachment();
  with.adminChain = "ADMIN";
  const auto step = accepted(with);
  REQUIRE(step->apply(host).ok());
  const std::string jump = "-A FORWARD -m comment --comment \"pons forward pons0\" -j ADMIN\n";
  CHECK(outputOf({"iptables-nft", "-S", "FORWARD"}).starts_with("-P FORWARD DROP\n" + jump));
  CHECK(outputOf({"iptables-legacy", "-S", "FORWARD"}) == "-P FORWARD ACCEPT\n" + jump + "-A FORWARD -j LOG\n");
  CHECK(marksIn(outputOf({"iptables-nft", "-S", "FORWARD"})) == 4);
  CHECK(marksIn(outputOf({"nft", "list", "chain", "inet", "other", "f"})) == 3);
  CHECK(differencesOf(*step, host) == "");
  REQUIRE(step->undo(host).ok());
  CHECK(rules() == before);
}

TEST_CASE("A table that belongs to another process is an error which says so") {
  REQUIRE_FAKE_HOST(fake);
  // The owner lives as long as its socket.
  const ForkedProcess owner{[] {
    return run({"sh", "-c",
                "{ echo 'table inet owned { flags owner; chain f { type filter hook forward priority 0; policy drop; "
                "}; }';"
                "  sleep 30; } | nft -i"})
        .exitCode;
  }};
  REQUIRE(eventually([] { return run({"nft", "list", "table", "inet", "owned"}).exitCode == 0; }));
  REQUIRE(outputOf({"nft", "list", "ruleset"}).find("flags owner") != std::string::npos);
  pons::Host host = openHost();
  const pons::Attachment with = attachment();
  const auto applied = accepted(with)->apply(host);
  REQUIRE(applied.failedWith(EPERM));
  CHECK(applied.error().message.find("inet owned f") != std::string::npos);
  CHECK(applied.error().message.find("\"forward\"") != std::string::npos);
  CHECK(accepted(with)->undo(host).ok());
}

TEST_CASE("iptables-legacy is not executed where others could have put it, and that is said") {
  REQUIRE_FAKE_HOST(fake);
  shell("iptables-legacy -P FORWARD DROP");
  shell("mkdir /run/sbin; mount --bind /run/sbin /usr/sbin");
  pons::Host host = openHost();
  const pons::Attachment with = attachment();
  const auto missing = accepted(with)->apply(host);
  REQUIRE(missing.failedWith(netlib::Cause::Missing));
  CHECK(missing.error().message.find("iptables") != std::string::npos);
  CHECK(accepted(with)->undo(host).ok());
  shell("cp /bin/true /run/sbin/iptables-legacy; chmod 777 /run/sbin/iptables-legacy");
  CHECK(accepted(with)->apply(host).failedWith(netlib::Cause::Unsafe));
  shell(
      "cd /run/sbin; cp /bin/false iptables-legacy; chmod 755 iptables-legacy; cp -p iptables-legacy "
      "iptables-legacy-restore");
  const auto failed = accepted(with)->apply(host);
  REQUIRE(failed.failedWith(netlib::Cause::Program));
  CHECK(failed.error().number == 0);
}

TEST_CASE("Only the bridge's first container looks, and the last takes the answer away") {
  REQUIRE_FAKE_HOST(fake);
  fake.addOutside();
  for (const char* name : {"c1", "c2"}) fake.addNamespace(name);
  shell("iptables-nft -P FORWARD DROP");
  const std::string before = fake.dump();
  const Runtime runtime{minimalConfig()};
  REQUIRE(runtime.add("c1").ok());
  CHECK(marksIn(outputOf({"iptables-nft", "-S", "FORWARD"})) == 3);
  shell("iptables-nft -F FORWARD");
  REQUIRE(runtime.add("c2").ok());
  CHECK(marksIn(outputOf({"iptables-nft", "-S", "FORWARD"})) == 0);
  pons::Host host = openHost();
  CHECK(accepted(recordOf(host, runtime.request(pons::cni::Verb::Add, "c2")).attachment)->repair(host).ok());
  CHECK(marksIn(outputOf({"iptables-nft", "-S", "FORWARD"})) == 3);
  REQUIRE(runtime.del("c1").ok());
  CHECK(marksIn(outputOf({"iptables-nft", "-S", "FORWARD"})) == 3);
  REQUIRE(runtime.del("c2").ok());
  CHECK(difference(before, fake.dump()) == "");
  CHECK(dumpLedger() == "");
}

TEST_CASE("What a lost ledger left in the host's chains is swept by GC") {
  REQUIRE_FAKE_HOST(fake);
  shell("iptables-nft -P FORWARD DROP; iptables-legacy -P FORWARD DROP");
  const std::string before = rules();
  pons::Host host = openHost();
  const pons::Attachment with = attachment();
  REQUIRE(accepted(with)->apply(host).ok());
  REQUIRE(rules() != before);
  REQUIRE(pons::Sweep{host, pons::Sweep::Mode::Delete}.shared(with.bridge.name).ok());
  CHECK(rules() == before);
}

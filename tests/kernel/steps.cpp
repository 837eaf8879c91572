// What every step promises: apply, verify, apply again, undo, undo again.
#include <regex>

#include <doctest/doctest.h>

#include "plugin/firewall/table_owner.h"
#include "plugin/firewall/table_transaction.h"

#include "tests/support/differences.h"
#include "tests/support/eventually.h"
#include "tests/support/plan_cases.h"
#include "tests/support/step_bench.h"

using namespace support;

namespace {

bool begins(const pons::Step& step, const char* name) { return step.name().starts_with(name); }

// Steps without a verifiable state, or without state on the host.
bool leavesNothing(const pons::Step& step) {
  return begins(step, "flush of conntrack") || begins(step, "announcement") || begins(step, "addresses of");
}

// Normally the first step that needs a table creates it; here the table's own step does, so that the changes of later
// steps are distinguishable.
netlib::Result<> makeTable(pons::Host& host, const pons::Attachment& attachment, const pons::Step& step) {
  netlib::nft::Transaction transaction;
  for (const auto& [family, parts] : pons::tables::partsOf(attachment)) {
    if (step.name() != std::string{"table "} + pons::tables::nameOf(family) + " pons of nf_tables") continue;
    pons::tables::appendSkeleton(transaction, family, parts);
    pons::tables::appendOwner(transaction, family, host.ledger);
  }
  return transaction.commit(host.netfilter);
}

// Normally the source NAT chains are created in the transaction of a later step; here each is created with its own.
netlib::Result<> makeChain(pons::Host& host, const pons::Attachment& attachment, const pons::Step& step) {
  netlib::nft::Transaction transaction;
  for (const auto& subnet : pons::sourceSubnets(attachment)) {
    if (!step.name().ends_with(" " + subnet.toString())) continue;
    const auto table = pons::nat::tableOf(subnet.family()).family;
    const bool hasPorts = pons::tables::partsOf(attachment)[table].contains(pons::tables::Part::Ports);
    pons::nat::appendSubnet(transaction, subnet, hasPorts ? pons::nat::Hairpin::With : pons::nat::Hairpin::Without);
    transaction.addElements(pons::nat::tableOf(subnet.family()), pons::nat::kSources,
                            pons::nat::sourceElements(subnet));
  }
  for (const pons::SourceNat& nat : attachment.sourceNats) {
    if (!step.name().starts_with(std::string{nameOf(nat.family())} + " masquerade")) continue;
    pons::nat::appendNetwork(transaction, nat, pons::chainOf(attachment, nat),
                             pons::nat::networkComment(attachment.key.network));
  }
  return transaction.commit(host.netfilter);
}

// There is no claim here: repair() creates the lease files that a claim would have created.
netlib::Result<> bringAbout(pons::Host& host, const pons::Step& step) {
  return begins(step, "leases of host-local") ? step.repair(host) : step.apply(host);
}

void applyAndSeeTwice(StepBench& bench, const pons::Step& step) {
  pons::Host& host = bench.host;
  REQUIRE(bringAbout(host, step).ok());
  REQUIRE(makeTable(host, bench.attachment, step).ok());
  REQUIRE(makeChain(host, bench.attachment, step).ok());
  CHECK(differencesOf(step, host) == "");
  const bool shared = !step.sharedState().empty();
  if (!shared) return;
  const std::string once = dumpNetwork();
  CHECK(step.apply(host).ok());
  CHECK(difference(once, dumpNetwork()) == "");
  CHECK(differencesOf(step, host) == "");
}

// What was up once keeps the qdisc that it got then.
std::string dumpOf(const FakeHost& host) {
  static const std::regex never{R"(\bqdisc noop\b)"}, kept{R"(qdisc noqueue 0: dev \S+ root \n)"};
  return std::regex_replace(std::regex_replace(dumpAll(host), never, "qdisc noqueue"), kept, "");
}

// The kernel adds the local route of an IPv6 address from a work queue (addrconf_dad_work), also of one without
// detection.
void awaitLocalRoutes() {
  const auto isThere = [] {
    return outputOf({"ip", "-6", "addr"}).find("fd42::1/") == std::string::npos ||
           outputOf({"ip", "-6", "route", "show", "table", "local"}).find("local fd42::1 ") != std::string::npos;
  };
  CHECK(eventually(isThere));
}

void undoAndMissTwice(pons::Host& host, const pons::Step& step) {
  for (int time = 0; time < 2; ++time) {
    REQUIRE(step.undo(host).ok());
    // There may be no difference: a forwarding switch or a bridge that was on before is on again.
    if (!leavesNothing(step)) CHECK(step.verify(host).ok());
  }
}

}  // namespace

TEST_CASE("Every step is applied, verified, applied again if shared, and undone twice without a trace") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const bool bare = which.name == std::string{"no addresses"};
    const bool dual = which.members.find("fd42") != std::string::npos;
    std::vector<std::pair<std::string, std::string>> leases;
    if (!bare) leases.emplace_back("10.42.0.7/24", "10.42.0.1");
    if (dual) leases.emplace_back("fd42::7/64", "fd42::1");
    StepBench bench{demoConfig(which.members), "c1", leases};
    const std::string empty = dumpAll(host);
    for (const auto& step : bench.plan) {
      CAPTURE(step->name());
      awaitLocalRoutes();
      const std::string before = dumpOf(host);
      applyAndSeeTwice(bench, *step);
      if (leavesNothing(*step)) continue;
      undoAndMissTwice(bench.host, *step);
      CHECK(difference(before, dumpOf(host)) == "");
      applyAndSeeTwice(bench, *step);
    }
    REQUIRE(bench.undoAll().ok());
    CHECK(difference(empty, dumpAll(host)) == "");
    REQUIRE(bench.undoAll().ok());
  }
}

TEST_CASE("verify() names the kernel objects that were deleted") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string config =
      demoConfig(R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]},
      "portMappings": [{"hostPort": 8080, "containerPort": 80}])");
  StepBench bench{config, "c1", {{"10.42.0.7/24", "10.42.0.1"}, {"fd42::7/64", "fd42::1"}}};
  REQUIRE(bench.applyAll().ok());
  const std::string veth = bench.attachment.hostVeth.toString();
  const auto chain = pons::chainOf(bench.attachment, bench.attachment.sourceNats.front());
  const std::string plugBack =
      "ip link set " + veth + " master pons0 && ip link set " + veth + " type bridge_slave hairpin on";
  struct Breakage {
    std::string step;
    std::vector<std::string> command;
    std::vector<std::string> repair;
    std::string says;
  };
  const Breakage breakages[] = {
      {"bridge", {"ip", "link", "set", "pons0", "down"}, {"ip", "link", "set", "pons0", "up"}, "down"},
      {"gateway address 10.42",
       {"ip", "addr", "del", "10.42.0.1/24", "dev", "pons0"},
       {"ip", "addr", "add", "10.42.0.1/24", "dev", "pons0"},
       "10.42.0.1/24"},
      {"IPv4 forwarding",
       {"sysctl", "-qw", "net.ipv4.ip_forward=0"},
       {"sysctl", "-qw", "net.ipv4.ip_forward=1"},
       "net/ipv4/ip_forward"},
      {"published ports at",
       {"sysctl", "-qw", "net.ipv4.conf.pons0.route_localnet=0"},
       {"sysctl", "-qw", "net.ipv4.conf.pons0.route_localnet=1"},
       "route_localnet"},
      {"veth",
       {"ip", "link", "set", veth, "nomaster"},
       {"sh", "-c", plugBack},
       "bridge of " + veth + " is none, expected pons0"},
      {"veth", {"ip", "link", "set", veth, "group", "0"}, {"ip", "link", "set", veth, "group", "28784"}, "link group"},
      {"addresses",
       {"ip", "-n", "c1", "addr", "del", "fd42::7/64", "dev", "eth0"},
       {"ip", "-n", "c1", "addr", "add", "fd42::7/64", "dev", "eth0", "nodad"},
       "fd42::7/64"},
      {"addresses",
       {"ip", "-n", "c1", "route", "del", "default"},
       {"ip", "-n", "c1", "route", "add", "default", "via", "10.42.0.1"},
       "0.0.0.0/0"},
      {"published ports, masquerade, spoof guard",
       {"nft", "flush map ip pons forwards_any"},
       {"nft", "add element ip pons forwards_any { tcp . 8080 : 10.42.0.7 . 80 }"},
       "8080"},
      {"published ports, masquerade, spoof guard",
       {"nft", "flush set bridge pons macs"},
       {"nft", "add element bridge pons macs { " + veth + " . 0a:58:0a:2a:00:07 }"},
       "set macs"},
      {"IPv4 masquerade", {"nft", "flush chain ip pons " + chain}, {}, chain},
      {"table ip pons", {"nft", "flush chain ip pons postrouting"}, {}, "postrouting"},
      {"veth", {"ip", "link", "del", veth}, {}, "missing"},
      {"bridge", {"ip", "link", "del", "pons0"}, {}, "bridge pons0 is missing"},
  };
  for (const Breakage& breakage : breakages) {
    CAPTURE(breakage.command.back());
    const auto& step = bench.step(breakage.step);
    CAPTURE(step.name());
    CHECK(differencesOf(step, bench.host) == "");
    outputOf(breakage.command);
    const std::string found = differencesOf(step, bench.host);
    CHECK_MESSAGE(found.find(breakage.says) != std::string::npos, found);
    if (!breakage.repair.empty()) outputOf(breakage.repair);
  }
}

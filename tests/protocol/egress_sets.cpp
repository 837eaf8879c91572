// Egress policies in nf_tables: elements of sets that all containers share.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/state_dirs.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;

namespace {

const std::string kIpam = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

Network limited(const std::string& policy, const std::string& more = {}) {
  return {"demo", kIpam + more + R"(, "egressPolicy": )" + policy};
}

bool hasFilter() { return std::filesystem::exists("/proc/sys/net/bridge"); }

/// The tables without elements, and without counters and limits.
std::string skeleton() {
  return outputOf({"sh", "-c", "nft -st list ruleset | sed '/^\tcounter /,/^\t}/d; /^\tlimit /,/^\t}/d; /^$/d'"});
}

/// The elements of table ip pons about that address, each behind the name of its set.
std::string elementsOf(const std::string& address) {
  return outputOf({"sh", "-c",
                   "nft list table ip pons | awk '/^\t(set|map) / {set = $2} match($0, /\"pons-demo\" \\. " + address +
                       "( \\. [0-9a-z.]+)*/) {print set, substr($0, RSTART + 14, RLENGTH - 14)}' | sort"});
}

}  // namespace

TEST_CASE("Beside one egress policy another one adds elements and objects, but no chain, rule, set or jump") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  Network demo = limited(R"({"allowedCidrs": ["192.0.2.0/24", "2001:db8::/32"], "allowedTcpPorts": [80, 443]})");
  demo.attach(host, "c1");
  const std::string before = skeleton();
  host.addNamespace("c2");
  for (const char* policy : {R"({})", R"({"allowedCidrs": ["10.0.0.0/9", "198.51.100.7", "::/0"]})",
                             R"({"allowedUdpPorts": [53], "allowedCidrs": ["0.0.0.0/0"]})"}) {
    CAPTURE(policy);
    const Network other = limited(policy);
    resultOf(add(other.config(), subjectOf("c2")));
    CHECK(difference(before, skeleton()) == "");
    CHECK(contains(outputOf({"nft", "list", "counters", "table", "ip", "pons"}), "egress_" + state_dirs::vethOf("c2")));
    checkSilent(del(other.config(), subjectOf("c2")));
    CHECK(difference(before, skeleton()) == "");
  }
  CHECK(demo.del("c1").ok());
  CHECK(outputOf({"nft", "list", "ruleset"}) == "");
}

TEST_CASE("A log and an answer come with the first policy that wants them, in whatever order") {
  const std::string silent = R"({"logDenied": false})";
  const std::string drops = R"(, "onDeny": "drop")";
  std::string first;
  for (const bool silentFirst : {true, false}) {
    CAPTURE(silentFirst);
    REQUIRE_FAKE_HOST(host);
    if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
    Network quiet = limited(silent, drops);
    Network loud = limited("{}");
    const auto isLoud = [] { return contains(skeleton(), "log prefix") && contains(skeleton(), "reject with"); };
    if (silentFirst) {
      quiet.attach(host, "c1");
      CHECK(!contains(skeleton(), "log prefix"));
      CHECK(!contains(skeleton(), "reject with"));
      quiet.checkAll();
    }
    loud.attach(host, "c2");
    if (!silentFirst) quiet.attach(host, "c1");
    CHECK(isLoud());
    quiet.checkAll();
    loud.checkAll();
    const std::string chain = outputOf({"nft", "-s", "list", "chain", "ip", "pons", "egress_deny"});
    if (first.empty()) first = chain;
    CHECK(chain == first);
    CHECK(loud.del("c2").ok());
    quiet.checkAll();
    CHECK(quiet.del("c1").ok());
    CHECK(outputOf({"nft", "list", "ruleset"}) == "");
  }
}

TEST_CASE("A container gets none of the destinations that an orphan of a lost ledger had at its address") {
  for (const std::string again : {"c1", "c2"}) {
    CAPTURE(again);
    REQUIRE_FAKE_HOST(host);
    if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
    const std::string address = limited(R"({"allowedCidrs": ["0.0.0.0/0"], "allowedTcpPorts": [22]})")
                                    .attach(host, "c1", R"("args": {"cni": {"ips": ["10.42.0.9"]}})");
    REQUIRE(address == "10.42.0.9");
    CHECK(contains(elementsOf(address), "egress_to_0 10.42.0.9 . 0.0.0.0"));
    shell("rm -rf /run/pons && ip link del " + state_dirs::vethOf("c1"));
    Network demo = limited(R"({"allowedCidrs": ["192.0.2.0/24"]})");
    host.addNamespace(again + "-new");
    Subject subject = subjectOf(again);
    subject.netns = "/run/netns/" + again + "-new";
    const std::string config = demo.config(R"("args": {"cni": {"ips": ["10.42.0.9"]}})");
    const Outcome added = add(config, subject);
    resultOf(added);
    CHECK(elementsOf(address) ==
          "egress_any_port 10.42.0.9\negress_denied 10.42.0.9\negress_logged 10.42.0.9\negress_rejected 10.42.0.9\n"
          "egress_sources 10.42.0.9\negress_to_24 10.42.0.9 . 192.0.2.0\n");
    CHECK(check(withPrevious(config, added.out), subject).ok());
  }
}

TEST_CASE("The first ADD with a policy replaces a table in which each policy has a chain") {
  REQUIRE_FAKE_HOST(host);
  if (!hasFilter()) return FakeHost::countSkip("needs br_netfilter");
  Network open{"open", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  open.attach(host, "c1");
  shell(
      "nft 'add map ip pons policies { type ifname . ipv4_addr : verdict; }; add chain ip pons egress "
      "{ type filter hook prerouting priority mangle; }; add rule ip pons egress iifname . ip saddr vmap @policies; "
      "add chain ip pons egress_pons1057dead001; "
      "add element ip pons policies { pons-demo . 10.42.0.9 : jump egress_pons1057dead001 }'");
  Network demo = limited("{}");
  demo.attach(host, "c2");
  const std::string rules = outputOf({"nft", "list", "ruleset"});
  CHECK(!contains(rules, "map policies"));
  CHECK(!contains(rules, "chain egress_pons"));
  demo.checkAll();
  open.checkAll();
}

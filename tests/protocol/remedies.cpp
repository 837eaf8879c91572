// Every fault has a remedy that works: CHECK and "ponsctl check" name it, and once it was executed CHECK, check, repair
// and STATUS agree that all is well.
#include <regex>

#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/attachments.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

enum class Executed : bool { Repair, Restart };

/// In shell, with $bridge, $veth and $ifb of container c1.
struct Breakage {
  std::string when;  ///< breakages whose condition does not hold are left out
  std::string command;
  Executed remedy = Executed::Repair;
};

const std::vector<Breakage>& breakages() {
  static const std::string entryOfC1 = " -lname '*c1*' | sort | head -n 1";
  static const std::string lastRule = "$(nft -a list chain ip pons postrouting | grep -o 'handle [0-9]*$' | tail -n 1)";
  static const auto toggle = [](const std::string& flag) {
    return "bridge -d link show dev $veth | grep -q '" + flag + " on' && to=off || to=on; ip link set $veth type " +
           "bridge_slave " + flag + " $to";
  };
  static const auto hasElements = [](const std::string& set) { return "nft list " + set + " | grep -q elements"; };
  static const std::string hasRules = "[ $(nft -a list chain ip pons postrouting | grep -c handle) -gt 1 ]";
  using enum Executed;
  static const std::vector<Breakage> all{
      {"[ $bridge = pons0 ]", "ip link del $bridge"},
      {"true", "ip link set $bridge down"},
      {"ip -d link show $bridge | grep -q PROMISC", "ip link set $bridge promisc off"},
      {"ip -o -4 addr show dev $bridge scope global | grep -q .", "ip -4 addr flush dev $bridge scope global"},
      {"ip -o -6 addr show dev $bridge scope global | grep -q .", "ip -6 addr flush dev $bridge scope global"},
      {"grep -q 1 /proc/sys/net/ipv4/ip_forward", "echo 0 >/proc/sys/net/ipv4/ip_forward"},
      {"grep -q 1 /proc/sys/net/ipv6/conf/all/forwarding", "echo 0 >/proc/sys/net/ipv6/conf/all/forwarding"},
      {"grep -q 1 /proc/sys/net/ipv4/conf/$bridge/route_localnet",
       "echo 0 >/proc/sys/net/ipv4/conf/$bridge/route_localnet"},
      {"nft list table ip pons", "nft delete table ip pons"},
      {"nft list table ip6 pons", "nft delete table ip6 pons"},
      {"nft list table bridge pons", "nft delete table bridge pons"},
      {hasRules, "nft flush chain ip pons postrouting"},
      {hasRules, "nft replace rule ip pons postrouting " + lastRule + " accept"},
      {hasElements("map ip pons sources"), "nft flush map ip pons sources"},
      {hasElements("map ip pons forwards_any"), "nft flush map ip pons forwards_any"},
      {hasElements("set ip pons bridges"), "nft flush set ip pons bridges"},
      {hasElements("set ip pons policy_bridges"), "nft flush set ip pons policy_bridges"},
      {hasElements("set ip6 pons published_only"), "nft flush set ip6 pons published_only"},
      {hasElements("set ip pons silent_bridges"), "nft flush set ip pons silent_bridges"},
      {hasElements("set bridge pons macs"), "nft flush set bridge pons macs"},
      {"iptables-nft -S FORWARD | grep -q 'pons forward'", "iptables-nft -D FORWARD 1"},
      {"true", toggle("hairpin")},
      {"true", toggle("isolated")},
      {"true", "ip link set $veth nomaster"},
      {"true", "ip link set $veth down"},
      {"true", "ip link set $veth group 77"},
      {"tc qdisc show dev $veth | grep -q tbf", "tc qdisc del dev $veth root"},
      {"ip link show $ifb", "ip link set $ifb down"},
      {"ip link show $ifb", "ip link del $ifb"},
      {"[ -d /run/host-local/demo ]", "rm $(grep -l c1 /run/host-local/demo/10.42.*)"},
      {"find /run/pons/networks/demo/addresses" + entryOfC1 + " | grep -q .",
       "rm -f $(find /run/pons/networks/demo/addresses" + entryOfC1 + ")"},
      {"find /run/pons/ports" + entryOfC1 + " | grep -q .", "rm -f $(find /run/pons/ports" + entryOfC1 + ")"},
      {"true", "rm -f $(find /run/pons/holds/bridge-$bridge" + entryOfC1 + ")"},
      {"touch /run/roots/c1/etc/writable", "echo nameserver 192.0.2.99 >/run/roots/c1/etc/resolv.conf"},
      {"mountpoint -q /run/roots/c1/etc/resolv.conf", "umount /run/roots/c1/etc/resolv.conf"},
      {"true", "ip -n c1 link set eth0 down", Restart},
      {"ip -n c1 -4 -o addr show dev eth0 | grep -q .", "ip -n c1 -4 addr flush dev eth0", Restart},
      {"ip -n c1 -6 -o addr show dev eth0 scope global | grep -q .", "ip -n c1 -6 addr flush dev eth0 scope global",
       Restart},
      {"ip -n c1 route show default | grep -q via", "ip -n c1 route replace default via 10.42.0.200", Restart},
      {"ip -n c1 -6 route show default | grep -q via", "ip -n c1 -6 route del default", Restart},
      {"true", "ip -n c1 link set eth0 address 02:00:00:00:00:99", Restart},
      {"true", "ip -n c1 link del eth0", Restart},
      {"nft list table ip pons", "nft flush ruleset"},
  };
  return all;
}

std::string remedyOf(Executed executed) {
  return executed == Executed::Repair ? "run \"ponsctl repair\"" : "restart the container";
}

/// The containers c1 and other of a plan case, in one network.
class Containers {
 public:
  explicit Containers(const PlanCase& which) : which_(which) {
    prepare(host_, which);
    attach("c1");
    attach("other");
  }

  /// False where the condition does not hold.
  bool breaks(const Breakage& breakage) const {
    if (!run({"sh", "-c", variables() + breakage.when}).ok()) return false;
    shell(variables() + breakage.command);
    return true;
  }

  Outcome check(const std::string& container) const {
    return support::check(withPrevious(config(container), results_.at(container)), subject(container));
  }

  void restart(const std::string& container) {
    checkSilent(support::del(config(container), subject(container)));
    attach(container);
  }

  void checkAllIsWell() const {
    for (const auto& [container, result] : results_) {
      const Outcome checked = check(container);
      CHECK_MESSAGE(checked.ok(), container << ": " << checked.out);
    }
    const Outcome looked = ponsctl({"check"});
    CHECK_MESSAGE(looked.ok(), looked.out);
    CHECK(ponsctl({"repair"}).out == "nothing is missing\n");
    const Outcome status = callForNetwork("STATUS", config("c1"));
    CHECK_MESSAGE(status.ok(), status.out);
  }

  void detachAll() {
    for (const auto& [container, result] : results_) checkSilent(support::del(config(container), subject(container)));
    CHECK(ledgerText().empty());
  }

 private:
  void attach(const std::string& container) {
    const Outcome added = support::add(config(container), subject(container));
    REQUIRE_MESSAGE(added.ok(), added.out);
    results_[container] = added.out;
  }

  Subject subject(const std::string& container) const {
    Subject subject = subjectOf(container);
    if (!which_.args.empty()) subject.args = container == "c1" ? which_.args : "IP=10.42.0.78,fd42::78";
    return subject;
  }

  /// With ports and a root of its own.
  std::string config(const std::string& container) const {
    std::string members = which_.members;
    if (container == "c1") return demoConfig(members);
    for (const auto& [from, to] : {std::pair{"\"hostPort\": 8", "\"hostPort\": 9"},
                                   {"\"hostPort\": 5", "\"hostPort\": 6"},
                                   {"/run/roots/c1", "/run/roots/other"}}) {
      members = std::regex_replace(members, std::regex{from}, to);
    }
    return demoConfig(members);
  }

  std::string variables() const {
    return "exec 2>/dev/null; bridge=" + (which_.bridge.empty() ? "pons0" : which_.bridge) +
           "; veth=" + pons::hostVethName(keyOf("c1")).toString() + "; ifb=" + pons::ifbName(keyOf("c1")).toString() +
           "; ";
  }

  FakeHost host_;
  const PlanCase& which_;
  std::map<std::string, std::string> results_;
};

/// The message of CHECK of c1, which has to fail with 101; and "ponsctl check" has the same fault.
std::string faultOf(const Containers& containers) {
  const Outcome checked = containers.check("c1");
  checkError(checked, ErrorCode::CheckFailed);
  const auto error = documentOf(checked);
  const std::string message = textOf(error["msg"]);
  const Outcome looked = ponsctl({"check", "--json"});
  CHECK(looked.exitCode == 1);
  const auto document = documentOf(looked);
  bool isListed = false;
  for (const auto& attachment : document["broken"].items()) {
    for (const auto& fault : attachment["faults"].items()) {
      const bool isOfC1 = textOf(attachment["container"]) == "c1";
      isListed |= isOfC1 && textOf(fault["what"]) + ": " + textOf(fault["remedy"]) == message;
      CHECK(textOf(fault["expected"]) != textOf(fault["actual"]));
    }
  }
  CHECK_MESSAGE(isListed, message << looked.out);
  return message;
}

void executeRepair() {
  const Outcome repaired = ponsctl({"repair"});
  CHECK_MESSAGE(repaired.ok(), repaired.out);
  CHECK_MESSAGE(repaired.out.starts_with("restored: "), repaired.out);
  CHECK(!contains(repaired.out, "not restored: "));
}

void executeRestart(Containers& containers) {
  const Outcome repaired = ponsctl({"repair"});
  CHECK(repaired.exitCode == 1);
  CHECK_MESSAGE(contains(repaired.out, "not restored: container c1, eth0 in network demo: "), repaired.out);
  CHECK_MESSAGE(contains(repaired.out, "(restart the container)"), repaired.out);
  containers.restart("c1");
}

}  // namespace

TEST_CASE("Each fault has a remedy that works, of each plan") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    Containers containers{which};
    containers.checkAllIsWell();
    for (const Breakage& breakage : breakages()) {
      CAPTURE(breakage.command);
      if (!containers.breaks(breakage)) continue;
      const std::string fault = faultOf(containers);
      CHECK_MESSAGE(fault.ends_with(": " + remedyOf(breakage.remedy)), fault);
      if (breakage.remedy == Executed::Repair) {
        executeRepair();
      } else {
        executeRestart(containers);
      }
      containers.checkAllIsWell();
    }
    containers.detachAll();
  }
}

TEST_CASE("The remedy of a changed tuning is the repair, also of a chained plugin") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  const std::vector<Link> links{
      {"pons", R"("bridge": "pons0", "macspoofchk": false, "ipam": {"subnet": "10.42.0.0/24"})"},
      {"tuning", R"("mtu": 1400, "mac": "02:00:00:00:00:07", "promisc": true,
                    "sysctl": {"net.ipv4.conf.eth0.arp_filter": "1"})"}};
  std::vector<Chain> chains{Chain{links}, Chain{links}};
  const std::vector<std::string> names{"c1", "c2"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    host.addNamespace(names[i]);
    chains[i].add(subjectOf(names[i]));
  }
  for (const std::string command :
       {"ip -n c1 link set eth0 mtu 1500", "ip -n c1 link set eth0 address 02:00:00:00:00:99",
        "ip -n c1 link set eth0 promisc off", "ip netns exec c1 sysctl -qw net.ipv4.conf.eth0.arp_filter=0"}) {
    CAPTURE(command);
    shell(command);
    const Outcome looked = ponsctl({"check"});
    CHECK(looked.exitCode == 1);
    CHECK_MESSAGE(contains(looked.out, ": " + remedyOf(Executed::Repair)), looked.out);
    executeRepair();
    for (std::size_t i = 0; i < names.size(); ++i) chains[i].check(subjectOf(names[i]));
    CHECK(ponsctl({"check"}).ok());
    CHECK(ponsctl({"repair"}).out == "nothing is missing\n");
  }
}

TEST_CASE("A bridge that is deleted under a chain is repaired before the chained plugins that need it") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  const auto linksOf = [](const std::string& hostPort) {
    return std::vector<Link>{
        {"pons", R"("bridge": "pons0", "isGateway": true, "ipam": {"subnet": "10.42.0.0/24"})"},
        {"portmap", R"("runtimeConfig": {"portMappings": [{"hostPort": )" + hostPort + R"(, "containerPort": 80}]})"}};
  };
  // Of a network that is looked at first, with another bridge that has the same sysctl.
  const Link alone{
      "pons",
      R"("bridge": "pons1", "ipam": {"subnet": "10.43.0.0/24"}, "portMappings": [{"hostPort": 8080, "containerPort": 80}])",
      "alone"};
  std::vector<Chain> chains{Chain{{alone}}, Chain{linksOf("8081")}, Chain{linksOf("8082")}, Chain{linksOf("8083")}};
  const auto subject = [](std::size_t i) { return subjectOf("c" + std::to_string(i)); };
  for (std::size_t i = 0; i < chains.size(); ++i) {
    host.addNamespace("c" + std::to_string(i));
    chains[i].add(subject(i));
  }
  shell("ip link del pons0");
  executeRepair();
  for (std::size_t i = 0; i < chains.size(); ++i) chains[i].check(subject(i));
}

TEST_CASE("A reservation that another container was given meanwhile: restart, with the owner's name") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  const std::string address = demo.attach(host, "c1");
  const std::string next = demo.attach(host, "c2");
  // What a lost reservation would lead to: c2's entry in place of c1's.
  shell("cd /run/pons/networks/demo/addresses && rm -r " + address + " && cp -a " + next + " " + address);
  checkError(demo.check("c1"), ErrorCode::CheckFailed,
             {"reservation of " + address, "container c2", "restart the container"});
  const Outcome repaired = repair();
  CHECK(repaired.exitCode == 1);
  CHECK_MESSAGE(contains(repaired.out, "not restored: container c1, eth0 in network demo: reservation of " + address),
                repaired.out);
  CHECK(demo.check("c2").ok());
  checkSilent(demo.del("c1"));
  demo.forget("c1");
  CHECK(demo.attach(host, "c3") != address);
  demo.checkAll();
}

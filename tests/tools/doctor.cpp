// ponsctl doctor: its output, its checks of sysctls and configuration files, and its findings on a host.
#include "plugin/ctl/doctor.h"

#include <doctest/doctest.h>

#include "plugin/ctl/doctor_checks.h"

#include "tests/tools/doctor_run.h"
#include "tests/tools/samples.h"

using namespace pons::ctl;
using namespace support;

namespace {

CheckResults someResults() {
  return {{Severity::Fine, "kernel", "bridge, veth and all needed nf_tables features are available"},
          notChecked("firewall", "iptables-legacy IPv6", "no /proc/net/ip6_tables_names: this kernel has none"),
          {Severity::Note,
           "settings",
           "net.ipv4.ip_forward is 0; pons sets it to 1 with the first container that has an IPv4 address",
           {},
           {},
           FindingId::IpForwardingOff},
          {Severity::Warning,
           "records",
           "2 attachments belong to stopped containers or interrupted ADD/DEL calls",
           "\"ponsctl gc\" lists them, \"ponsctl gc --delete\" removes them",
           {},
           FindingId::AttachmentStale},
          {Severity::Fault,
           "firewall",
           "nf_tables chain ip filter FORWARD drops unmatched packets, including forwarded traffic of pons0",
           "ponsctl repair",
           {},
           FindingId::ForwardDrop},
          {Severity::Fault,
           "networks",
           "/etc/cni/net.d/1.conf: not JSON at line 1, column 2: \x1b[31m",
           "run \"ponsctl explain FILE\" for line and column",
           {},
           FindingId::ConfigInvalid}};
}

/// The severity of the first result whose text has that part; "" for none.
std::string severityOf(const CheckResults& results, const std::string& part) {
  for (const CheckResult& result : results) {
    if (!contains(result.what, part)) continue;
    constexpr std::array kNames{"fault", "warning", "note", "not checked", "fine"};
    return kNames.at(static_cast<std::size_t>(result.severity));
  }
  return {};
}

CheckResults resultsOf(const Needs& needs, const std::map<std::string, std::uint64_t>& parameters,
                       const std::vector<std::string>& uplinks = {}) {
  CheckResults results;
  const ParameterOf read = [&parameters](const std::string& name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::nullopt : std::optional{found->second};
  };
  Links links;
  for (const std::string& name : uplinks) links.emplace_back().name = name;
  checkParameters(results, needs, read, links);
  return results;
}

std::string textOf(const CheckResults& results, const Terminal& terminal) {
  return doctorText(pons::json::Document::parse(doctorJson(results)).value().root(), terminal);
}

CheckResults spaceOf(const Space& space) {
  CheckResults results;
  checkSpace(results, "/run/pons", space);
  return results;
}

Network demoNetwork() { return configured("demo", R"("ipam": {"subnet": "10.42.0.0/24"})"); }

}  // namespace

TEST_CASE("ponsctl doctor prints the most severe problems first, each with its remedy") {
  checkGolden("doctor-0-80.txt", textOf({}, kNarrow));
  checkGolden("doctor-0.json", doctorJson({}));
  checkGolden("doctor-1-80.txt", textOf({someResults().front()}, kNarrow));
  checkGolden("doctor-many-80.txt", textOf(someResults(), kNarrow));
  checkGolden("doctor-many-200.txt", textOf(someResults(), kWide));
  checkGolden("doctor-many.json", doctorJson(someResults()));
  checkGolden("doctor-coloured.txt", textOf(someResults(), {.width = 80, .hasColours = true}));
  checkWidth(textOf(someResults(), kNarrow), 80);
  CheckResults longWords = someResults();
  longWords.push_back({Severity::Fault, "containers",
                       "address 10.42.0.7 of container " + idOf(1) + " is also one of the host",
                       "ip address del 10.42.0.7/32 dev lan"});
  for (const std::size_t width : {60U, 80U, 120U}) checkWidth(textOf(longWords, {.width = width}), width);
  CHECK(contains(textOf(longWords, {.width = Terminal::kUnlimited}), " of container " + idOf(1) + " is also one of"));
}

TEST_CASE("ponsctl doctor: sysctls that containers need") {
  const std::string kNeighbours = "net/ipv4/neigh/default/gc_thresh3";
  const Needs needs{.addresses = {{netlib::Family::Ipv4, 900}},
                    .forwarding = {{netlib::Family::Ipv4, 900}},
                    .bridges = {},
                    .bridgeFilter = true};
  CHECK(severityOf(resultsOf(needs, {{"net/ipv4/ip_forward", 0}}), "net.ipv4.ip_forward is 0") == "fault");
  CHECK(severityOf(resultsOf({}, {{"net/ipv4/ip_forward", 0}}), "net.ipv4.ip_forward is 0") == "note");
  CHECK(severityOf(resultsOf(needs, {{"net/ipv4/ip_forward", 1}}), "ip_forward") == "");
  CHECK(severityOf(resultsOf(needs, {{kNeighbours, 1024}}), "neighbour (ARP/NDP) table") == "warning");
  CHECK(severityOf(resultsOf(needs, {{kNeighbours, 512}}), "neighbour (ARP/NDP) table") == "fault");
  CHECK(severityOf(resultsOf(needs, {{kNeighbours, 8192}}), "neighbour (ARP/NDP) table is limited") == "");
  CHECK(severityOf(resultsOf(needs, {}), "br_netfilter") == "fault");
  CHECK(severityOf(resultsOf({}, {}), "br_netfilter") == "note");
  CHECK(severityOf(resultsOf({}, {{"net/bridge/bridge-nf-call-iptables", 1}}), "bridge-nf-call-iptables") == "note");
  CHECK(severityOf(resultsOf({}, {}), "no IPv6") == "note");
}

TEST_CASE("ponsctl doctor: disabled IPv6, with and without networks that have IPv6 addresses") {
  const std::map<std::string, std::uint64_t> enabled{{"net/ipv6/conf/all/disable_ipv6", 0},
                                                     {"net/ipv6/conf/default/disable_ipv6", 0},
                                                     {"net/ipv6/conf/br.6/disable_ipv6", 0}};
  Needs needs;
  needs.ipv6Bridges = {{"six", "br.6"}};
  CHECK(severityOf(resultsOf(needs, enabled), "disable_ipv6") == "");
  CHECK(severityOf(resultsOf(needs, enabled), "sysctls as needed: IP forwarding, IPv6") == "fine");
  for (const std::string link : {"all", "default", "br.6"}) {
    CAPTURE(link);
    auto parameters = enabled;
    parameters["net/ipv6/conf/" + link + "/disable_ipv6"] = 1;
    const bool isOfBridge = link == "br.6";
    const std::string name = isOfBridge ? "net/ipv6/conf/br.6/disable_ipv6" : "net.ipv6.conf." + link + ".disable_ipv6";
    CHECK(severityOf(resultsOf(needs, parameters), name + " is 1, but networks have IPv6 addresses: six") == "fault");
    CHECK(severityOf(resultsOf({}, parameters), name + " is 1") == (isOfBridge ? "" : "note"));
  }
  CHECK(severityOf(resultsOf(needs, {}), "this kernel has no IPv6, but networks have IPv6 addresses: six") == "fault");
}

TEST_CASE("ponsctl doctor: room in the state directory, in bytes and in inodes") {
  constexpr std::uint64_t kMany = 1U << 30U;
  CHECK(severityOf(spaceOf({}), "state directory /run/pons: no limit of bytes, no limit of inodes") == "fine");
  CHECK(severityOf(spaceOf({kMany, kMany}), "1.0 GiB free") == "fine");
  CHECK(severityOf(spaceOf({1U << 20U, kMany}), "1.0 MiB free, 1073741824 inodes free: nearly full") == "warning");
  CHECK(severityOf(spaceOf({kMany, 1000}), "1000 inodes free: nearly full") == "warning");
  CHECK(severityOf(spaceOf({std::nullopt, 1000}), "nearly full") == "warning");
  CHECK(severityOf(spaceOf({4096, kMany}), "full, an ADD cannot write its record") == "fault");
  CHECK(severityOf(spaceOf({0, 0}), "0 B free, 0 inodes free: full") == "fault");
  CHECK(severityOf(spaceOf({kMany, 1}), "1 inode free: full") == "fault");
}

TEST_CASE("ponsctl doctor: conntrack usage, and strict reverse path filtering with several uplinks") {
  const auto connections = [](std::uint64_t used) {
    return severityOf(
        resultsOf({}, {{"net/netfilter/nf_conntrack_count", used}, {"net/netfilter/nf_conntrack_max", 1000}}),
        "conntrack: ");
  };
  CHECK(connections(700) == "fine");
  CHECK(severityOf(resultsOf({}, {}), "usage of the conntrack table") == "not checked");
  CHECK(connections(800) == "warning");
  CHECK(connections(960) == "fault");
  const std::map<std::string, std::uint64_t> strict{{"net/ipv4/conf/all/rp_filter", 0},
                                                    {"net/ipv4/conf/eth0/rp_filter", 1}};
  CHECK(severityOf(resultsOf({}, strict, {"eth0", "eth1"}), "rp_filter of eth0") == "warning");
  CHECK(severityOf(resultsOf({}, strict, {"eth0", "eth1"}), "rp_filter of eth1") == "");
  CHECK(severityOf(resultsOf({}, strict, {"eth0"}), "rp_filter") == "");
  CHECK(severityOf(resultsOf({}, strict, {"eth0"}), "reverse path filters") == "not checked");
  CHECK(severityOf(resultsOf({}, {}, {"eth0", "eth1"}), "reverse path filter of 2 uplinks") == "fine");
  CHECK(severityOf(resultsOf({}, {}), "size of the neighbour (ARP/NDP) table") == "not checked");
}

TEST_CASE("On a host: ponsctl doctor changes nothing, and finds no problems on a healthy host") {
  REQUIRE_FAKE_HOST(host);
  {
    const Unchanged unchanged{host};
    const Outcome empty = doctorRun();
    CHECK_MESSAGE(empty.ok(), empty.out);
    CHECK(contains(empty.out, "no network of pons is configured in /run/net.d"));
    CHECK(contains(empty.out, "No problems found"));
    const auto document = jsonOf(doctorRun({"--json"}));
    for (const auto& one : document["diagnoses"].items()) {
      const std::string what = " " + textOf(one["what"]);
      const bool isOfHost = contains(what, "conntrack: ");  // which may have no connections
      if (textOf(one["verdict"]) == "fine" && !isOfHost) CHECK_MESSAGE(!contains(what, " 0 "), what);
    }
    std::string notLookedAt;
    for (const auto& one : document["notChecked"].items()) notLookedAt += textOf(one["what"]) + "\n";
    for (const char* what : {"recorded attachments\n", "addresses and MTUs of containers\n",
                             "programs on published ports\n", "nameservers of containers\n"}) {
      CHECK_MESSAGE(contains(notLookedAt, what), notLookedAt);
    }
  }
  Network demo = demoNetwork();
  demo.attach(host, "c1", publishing({{8080, 80}}));
  const Unchanged unchanged{host};
  const Outcome healthy = doctorRun();
  CHECK_MESSAGE(healthy.ok(), healthy.out);
  CHECK(contains(healthy.out, "1 attachment recorded, no faults"));
  CHECK(contains(healthy.out, "bridge, veth and all needed nf_tables features are available"));
  CHECK(contains(healthy.out, "1 network, free addresses and bridge ports available"));
  const auto document = jsonOf(doctorRun({"--json"}));
  const auto results = document["diagnoses"].items();
  REQUIRE(!results.empty());
  CHECK(results.back()["verdict"].string() == "fine");
}

TEST_CASE("On a host: ponsctl doctor finds state that other programs removed, and orphans") {
  REQUIRE_FAKE_HOST(host);
  Network demo = demoNetwork();
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
  const Outcome off = doctorRun();
  CHECK(off.exitCode == 1);
  CHECK_MESSAGE(contains(off.out, "net.ipv4.ip_forward is 0: 2 attachments cannot reach other hosts"), off.out);
  CHECK(contains(off.out, "2 attachments are incomplete"));
  CHECK(repair().ok());
  CHECK(doctorRun().ok());
  host.endNamespace("/run/netns/c2");
  CHECK(contains(doctorRun().out, "1 attachment belongs to a stopped container or an interrupted ADD/DEL"));
  shell("rm " + recordOf(demo, "c1"));
  const Outcome lost = doctorRun();
  CHECK_MESSAGE(contains(lost.out, "leftovers without a record"), lost.out);
  shell("rm -rf /run/pons");
  const Outcome none = doctorRun();
  CHECK(none.exitCode == 1);
  CHECK_MESSAGE(contains(none.out, "there is no state directory /run/pons, but links or tables of pons"), none.out);
  CHECK(!std::filesystem::exists("/run/pons"));
}

TEST_CASE("On a host: ponsctl doctor checks the configurations, the plugin and the free addresses") {
  REQUIRE_FAKE_HOST(host);
  Network full{"full", R"("ipam": {"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.10", "rangeEnd": "10.42.0.10"})"};
  write("/run/net.d/1.conf", full.config());
  write("/run/net.d/2.conflist", "{");
  write("/run/net.d/3.conf", R"({"cniVersion": "1.0.0", "name": "bad", "type": "pons", "mtu": "big"})");
  full.attach(host, "c1");
  const Outcome read = doctorRun();
  CHECK(read.exitCode == 1);
  CHECK_MESSAGE(contains(read.out, "/run/net.d/2.conflist: invalid JSON"), read.out);
  CHECK(contains(read.out, "-> run \"ponsctl explain /run/net.d/3.conf\" for line and column"));
  CHECK(contains(read.out, "full has 0 of 1 addresses left in 10.42.0.10-10.42.0.10"));
  const Outcome elsewhere = tool({"doctor", "--config-dir", "/run/net.d"}, {"CNI_PATH=/run/nothing"});
  CHECK(contains(elsewhere.out, "no plugin \"pons\" in /run/nothing, but"));
  CHECK(tool({"doctor", "--colour"}).exitCode == 2);
}

TEST_CASE("On a host: ponsctl doctor checks configurations of the reference plugins if pons replaces them") {
  REQUIRE_FAKE_HOST(host);
  write("/run/net.d/1.conf", R"({"cniVersion": "1.0.0", "name": "old", "type": "bridge", "mtu": "big"})");
  CHECK(doctorRun().ok());
  shell("mkdir /run/plugins && ln -s " PONS_BINARY " /run/plugins/pons && ln -s pons /run/plugins/bridge");
  const Outcome replaced = tool({"doctor", "--config-dir", "/run/net.d"}, {"CNI_PATH=/run/plugins"});
  CHECK(replaced.exitCode == 1);
  CHECK_MESSAGE(contains(replaced.out, "/run/net.d/1.conf: "), replaced.out);
}

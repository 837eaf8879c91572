// ponsctl doctor: its output, its checks of sysctls and configuration files, and its findings on a host.
#include "plugin/ctl/doctor.h"

#include <doctest/doctest.h>

#include "plugin/ctl/doctor_checks.h"

#include "tests/protocol/network.h"
#include "tests/support/root_fs.h"
#include "tests/support/scratch.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

CheckResults someResults() {
  return {{Severity::Fine, "kernel", "bridge, veth and all needed nf_tables features are available"},
          {Severity::Note, "settings",
           "net.ipv4.ip_forward is 0; pons sets it to 1 with the first container that has an IPv4 address"},
          {Severity::Warning, "records", "2 attachments belong to stopped containers or interrupted ADD/DEL calls",
           "\"ponsctl gc\" lists them, \"ponsctl gc --delete\" removes them"},
          {Severity::Fault, "firewall",
           "nf_tables chain ip filter FORWARD drops unmatched packets, including forwarded traffic of pons0",
           "ponsctl repair"},
          {Severity::Fault, "networks", "/etc/cni/net.d/1.conf: not JSON at line 1, column 2: \x1b[31m",
           "run \"ponsctl explain FILE\" for line and column"}};
}

/// The severity of the first result whose text has that part; "" for none.
std::string severityOf(const CheckResults& results, const std::string& part) {
  for (const CheckResult& result : results) {
    if (!contains(result.what, part)) continue;
    constexpr std::array kNames{"fault", "warning", "note", "fine"};
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
  checkParameters(results, needs, read, uplinks);
  return results;
}

CheckResults managersOf(const std::string& root) {
  CheckResults results;
  checkManagers(results, {"pons0", "br-lan"}, root);
  return results;
}

void write(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
  std::ofstream{path} << content;
}

const std::string kPluginDir = std::filesystem::path{PONS_BINARY}.parent_path();

Outcome doctorRun(const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"doctor", "--config-dir", "/run/net.d"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return tool(arguments, {"CNI_PATH=" + kPluginDir, "COLUMNS=200"});
}

/// A network whose configuration is in the directory.
Network demoNetwork() {
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  write("/run/net.d/1.conf", demo.config());
  return demo;
}

}  // namespace

TEST_CASE("ponsctl doctor prints the most severe problems first, each with its remedy") {
  checkGolden("doctor-0-80.txt", doctorText({}, kNarrow));
  checkGolden("doctor-0.json", doctorJson({}));
  checkGolden("doctor-1-80.txt", doctorText({someResults().front()}, kNarrow));
  checkGolden("doctor-many-80.txt", doctorText(someResults(), kNarrow));
  checkGolden("doctor-many-200.txt", doctorText(someResults(), kWide));
  checkGolden("doctor-many.json", doctorJson(someResults()));
  checkGolden("doctor-coloured.txt", doctorText(someResults(), {.width = 80, .hasColours = true}));
  checkWidth(doctorText(someResults(), kNarrow), 80);
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
  CHECK(severityOf(resultsOf(needs, {{kNeighbours, 8192}}), "neighbour (ARP/NDP) table") == "");
  CHECK(severityOf(resultsOf(needs, {}), "br_netfilter") == "fault");
  CHECK(severityOf(resultsOf({}, {}), "br_netfilter") == "note");
  CHECK(severityOf(resultsOf({}, {{"net/bridge/bridge-nf-call-iptables", 1}}), "bridge-nf-call-iptables") == "note");
  CHECK(severityOf(resultsOf({}, {}), "no IPv6") == "note");
}

TEST_CASE("ponsctl doctor: conntrack usage, and strict reverse path filtering with several uplinks") {
  const auto connections = [](std::uint64_t used) {
    return severityOf(
        resultsOf({}, {{"net/netfilter/nf_conntrack_count", used}, {"net/netfilter/nf_conntrack_max", 1000}}),
        "conntrack: ");
  };
  CHECK(connections(700) == "fine");
  CHECK(connections(800) == "warning");
  CHECK(connections(960) == "fault");
  const std::map<std::string, std::uint64_t> strict{{"net/ipv4/conf/all/rp_filter", 0},
                                                    {"net/ipv4/conf/eth0/rp_filter", 1}};
  CHECK(severityOf(resultsOf({}, strict, {"eth0", "eth1"}), "rp_filter of eth0") == "warning");
  CHECK(severityOf(resultsOf({}, strict, {"eth0", "eth1"}), "rp_filter of eth1") == "");
  CHECK(severityOf(resultsOf({}, strict, {"eth0"}), "rp_filter") == "");
}

TEST_CASE("ponsctl doctor: NetworkManager and systemd-networkd must not manage interfaces of pons") {
  const Scratch root;
  CHECK(managersOf(root.path()).empty());
  write(root / "run/NetworkManager/devices/1", "");
  CHECK(severityOf(managersOf(root.path()), "NetworkManager is running") == "warning");
  write(root / "etc/NetworkManager/conf.d/pons.conf", "[keyfile]\nunmanaged-devices=interface-name:pons*\n");
  CHECK(severityOf(managersOf(root.path()), "NetworkManager is running and may manage the bridges") == "warning");
  write(root / "etc/NetworkManager/conf.d/pons.conf",
        "[keyfile]\nunmanaged-devices=interface-name:pons*;interface-name:=br-lan\n");
  CHECK(severityOf(managersOf(root.path()), "NetworkManager does not manage") == "fine");
  write(root / "etc/NetworkManager/conf.d/pons.conf", "[device-x]\nmatch-device=driver:veth,type:bridge\nmanaged=0\n");
  CHECK(severityOf(managersOf(root.path()), "NetworkManager does not manage") == "fine");
  write(root / "etc/NetworkManager/conf.d/pons.conf", "[keyfile]\n#unmanaged-devices=*\n");
  CHECK(severityOf(managersOf(root.path()), "NetworkManager is running") == "warning");

  write(root / "run/systemd/netif/state", "");
  CHECK(severityOf(managersOf(root.path()), "systemd-networkd does not manage") == "fine");
  write(root / "usr/lib/systemd/network/80-wired.network", "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n");
  CHECK(severityOf(managersOf(root.path()), "systemd-networkd does not manage") == "fine");
  write(root / "etc/systemd/network/90-all.network", "[Match]\nType=ether bridge\nName=!lo\n[Network]\nDHCP=yes\n");
  CHECK(severityOf(managersOf(root.path()), "systemd-networkd is running") == "warning");
  write(root / "etc/systemd/network/05-pons.network", "[Match]\nName=pons* br-lan\n[Link]\nUnmanaged=yes\n");
  CHECK(severityOf(managersOf(root.path()), "systemd-networkd does not manage") == "fine");
}

TEST_CASE("ponsctl doctor: udev changes MAC addresses of bridges of other programs") {
  const Scratch root;
  write(root / "usr/lib/systemd/network/99-default.link",
        "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n");
  CHECK(managersOf(root.path()).empty());
  write(root / "run/udev/control", "");
  CHECK(severityOf(managersOf(root.path()), "MACAddressPolicy=persistent in ") == "note");
  write(root / "etc/systemd/network/10-bridges.link", "[Match]\nKind=bridge\n[Link]\nMACAddressPolicy=none\n");
  CHECK(managersOf(root.path()).empty());
}

TEST_CASE("On a host: ponsctl doctor changes nothing, and finds no problems on a healthy host") {
  REQUIRE_FAKE_HOST(host);
  {
    const Unchanged unchanged{host};
    const Outcome empty = doctorRun();
    CHECK_MESSAGE(empty.ok(), empty.out);
    CHECK(contains(empty.out, "no network of pons is configured in /run/net.d"));
    CHECK(contains(empty.out, "No problems found"));
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

TEST_CASE("On a host: ponsctl doctor finds chains that drop forwarded traffic") {
  REQUIRE_FAKE_HOST(host);
  shell(
      "nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; "
      "}'");
  Network demo = demoNetwork();
  CHECK(contains(doctorRun().out, "nf_tables chain ip filter FORWARD drops unmatched packets: pons adds accept rules"));
  demo.attach(host, "c1");
  CHECK_MESSAGE(doctorRun().ok(), doctorRun().out);
  CHECK(contains(doctorRun().out, "it accepts forwarded traffic of pons-demo"));
  shell("nft flush chain ip filter FORWARD");
  const Outcome flushed = doctorRun();
  CHECK(flushed.exitCode == 1);
  CHECK_MESSAGE(contains(flushed.out, "including forwarded traffic of pons-demo"), flushed.out);
  CHECK(contains(flushed.out, "-> ponsctl repair"));
}

TEST_CASE("On a host: ponsctl doctor checks for accept rules of the administrator where \"forward\" is \"off\"") {
  REQUIRE_FAKE_HOST(host);
  shell(
      "nft add table inet wall; nft 'add chain inet wall wayout { type filter hook forward priority 0; policy drop; "
      "}'");
  Network own{"own", R"("forward": "off", "ipam": {"subnet": "10.42.0.0/24"})"};
  own.attach(host, "c1");
  const Outcome dropped = doctorRun();
  CHECK(dropped.exitCode == 1);
  CHECK_MESSAGE(contains(dropped.out,
                         "inet wall wayout drops unmatched packets and has no rule that accepts traffic of pons-own"),
                dropped.out);
  shell(
      "nft add chain inet wall fromown; nft add rule inet wall fromown iifname pons-own accept; nft add rule inet wall "
      "wayout "
      "jump fromown");
  CHECK_MESSAGE(doctorRun().ok(), doctorRun().out);
  shell("iptables-nft -P FORWARD DROP");
  CHECK(contains(doctorRun().out,
                 "ip filter FORWARD drops unmatched packets and has no rule that accepts traffic of pons-own"));
  shell("iptables-nft -A FORWARD -i pons-own -j ACCEPT");
  CHECK_MESSAGE(doctorRun().ok(), doctorRun().out);
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

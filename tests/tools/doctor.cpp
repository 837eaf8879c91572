// pons doctor: what it prints, what it makes of parameters and files, and what it finds on a host.
#include "plugin/ctl/doctor.h"

#include <doctest/doctest.h>

#include "plugin/ctl/doctor_checks.h"

#include "tests/protocol/network.h"
#include "tests/support/root_fs.h"
#include "tests/support/scratch.h"
#include "tests/tools/made_up.h"
#include "tests/tools/tool_run.h"

using namespace pons::tools;
using namespace support;

namespace {

Diagnoses someDiagnoses() {
  return {{Verdict::Fine, "kernel", "it has bridges, veths, and all that pons uses of nf_tables"},
          {Verdict::Note, "settings", "net.ipv4.ip_forward is 0: the first container that needs it changes that"},
          {Verdict::Warning, "records", "2 attachments are of dead containers or verbs",
           "pons gc tells which, pons gc --delete takes them away"},
          {Verdict::Fault, "firewall",
           "nf_tables chain ip filter FORWARD drops what it does not know, and so what pons0 forwards", "pons repair"},
          {Verdict::Fault, "networks", "/etc/cni/net.d/1.conf: not JSON at line 1, column 2: \x1b[31m",
           "pons explain tells the place"}};
}

/// The diagnosis whose text has that part, of all that were made; "" for none.
std::string verdictOf(const Diagnoses& diagnoses, const std::string& part) {
  for (const Diagnosis& diagnosis : diagnoses) {
    if (!contains(diagnosis.what, part)) continue;
    constexpr std::array kNames{"fault", "warning", "note", "fine"};
    return kNames.at(static_cast<std::size_t>(diagnosis.verdict));
  }
  return {};
}

Diagnoses diagnosesOf(const Needs& needs, const std::map<std::string, std::uint64_t>& parameters,
                      const std::vector<std::string>& uplinks = {}) {
  Diagnoses diagnoses;
  const ParameterOf read = [&parameters](const std::string& name) {
    const auto found = parameters.find(name);
    return found == parameters.end() ? std::nullopt : std::optional{found->second};
  };
  lookAtParameters(diagnoses, needs, read, uplinks);
  return diagnoses;
}

Diagnoses managersOf(const std::string& root) {
  Diagnoses diagnoses;
  lookAtManagers(diagnoses, {"pons0", "br-lan"}, root);
  return diagnoses;
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

/// One that has its configuration in the directory.
Network demoNetwork() {
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  write("/run/net.d/1.conf", demo.config());
  return demo;
}

}  // namespace

TEST_CASE("pons doctor tells the worst first, with its remedy below") {
  checkGolden("doctor-0-80.txt", doctorText({}, kNarrow));
  checkGolden("doctor-0.json", doctorJson({}));
  checkGolden("doctor-1-80.txt", doctorText({someDiagnoses().front()}, kNarrow));
  checkGolden("doctor-many-80.txt", doctorText(someDiagnoses(), kNarrow));
  checkGolden("doctor-many-200.txt", doctorText(someDiagnoses(), kWide));
  checkGolden("doctor-many.json", doctorJson(someDiagnoses()));
  checkGolden("doctor-coloured.txt", doctorText(someDiagnoses(), {.width = 80, .coloured = true}));
  checkWidth(doctorText(someDiagnoses(), kNarrow), 80);
}

TEST_CASE("pons doctor: parameters against what containers need") {
  const std::string kNeighbours = "net/ipv4/neigh/default/gc_thresh3";
  const Needs needs{.addresses = {{netlib::Family::Ipv4, 900}},
                    .forwarding = {{netlib::Family::Ipv4, 900}},
                    .bridges = {},
                    .bridgeFilter = true};
  CHECK(verdictOf(diagnosesOf(needs, {{"net/ipv4/ip_forward", 0}}), "net.ipv4.ip_forward is 0") == "fault");
  CHECK(verdictOf(diagnosesOf({}, {{"net/ipv4/ip_forward", 0}}), "net.ipv4.ip_forward is 0") == "note");
  CHECK(verdictOf(diagnosesOf(needs, {{"net/ipv4/ip_forward", 1}}), "ip_forward") == "");
  CHECK(verdictOf(diagnosesOf(needs, {{kNeighbours, 1024}}), "table of neighbours") == "warning");
  CHECK(verdictOf(diagnosesOf(needs, {{kNeighbours, 512}}), "table of neighbours") == "fault");
  CHECK(verdictOf(diagnosesOf(needs, {{kNeighbours, 8192}}), "table of neighbours") == "");
  CHECK(verdictOf(diagnosesOf(needs, {}), "br_netfilter") == "fault");
  CHECK(verdictOf(diagnosesOf({}, {}), "br_netfilter") == "note");
  CHECK(verdictOf(diagnosesOf({}, {{"net/bridge/bridge-nf-call-iptables", 1}}), "bridge-nf-call-iptables") == "note");
  CHECK(verdictOf(diagnosesOf({}, {}), "no IPv6") == "note");
}

TEST_CASE("pons doctor: tables that run full, and answers that come back by another way") {
  const auto connections = [](std::uint64_t used) {
    return verdictOf(
        diagnosesOf({}, {{"net/netfilter/nf_conntrack_count", used}, {"net/netfilter/nf_conntrack_max", 1000}}),
        "table of connections");
  };
  CHECK(connections(700) == "fine");
  CHECK(connections(800) == "warning");
  CHECK(connections(960) == "fault");
  const std::map<std::string, std::uint64_t> strict{{"net/ipv4/conf/all/rp_filter", 0},
                                                    {"net/ipv4/conf/eth0/rp_filter", 1}};
  CHECK(verdictOf(diagnosesOf({}, strict, {"eth0", "eth1"}), "rp_filter of eth0") == "warning");
  CHECK(verdictOf(diagnosesOf({}, strict, {"eth0", "eth1"}), "rp_filter of eth1") == "");
  CHECK(verdictOf(diagnosesOf({}, strict, {"eth0"}), "rp_filter") == "");
}

TEST_CASE("pons doctor: NetworkManager and systemd-networkd have to leave the links of pons alone") {
  const Scratch root;
  CHECK(managersOf(root.path()).empty());
  write(root / "run/NetworkManager/devices/1", "");
  CHECK(verdictOf(managersOf(root.path()), "NetworkManager runs") == "warning");
  write(root / "etc/NetworkManager/conf.d/pons.conf", "[keyfile]\nunmanaged-devices=interface-name:pons*\n");
  CHECK(verdictOf(managersOf(root.path()), "NetworkManager runs, and may take the bridges") == "warning");
  write(root / "etc/NetworkManager/conf.d/pons.conf",
        "[keyfile]\nunmanaged-devices=interface-name:pons*;interface-name:=br-lan\n");
  CHECK(verdictOf(managersOf(root.path()), "NetworkManager leaves") == "fine");
  write(root / "etc/NetworkManager/conf.d/pons.conf", "[device-x]\nmatch-device=driver:veth,type:bridge\nmanaged=0\n");
  CHECK(verdictOf(managersOf(root.path()), "NetworkManager leaves") == "fine");
  write(root / "etc/NetworkManager/conf.d/pons.conf", "[keyfile]\n#unmanaged-devices=*\n");
  CHECK(verdictOf(managersOf(root.path()), "NetworkManager runs") == "warning");

  write(root / "run/systemd/netif/state", "");
  CHECK(verdictOf(managersOf(root.path()), "systemd-networkd leaves") == "fine");
  write(root / "usr/lib/systemd/network/80-wired.network", "[Match]\nName=en* eth*\n[Network]\nDHCP=yes\n");
  CHECK(verdictOf(managersOf(root.path()), "systemd-networkd leaves") == "fine");
  write(root / "etc/systemd/network/90-all.network", "[Match]\nType=ether bridge\nName=!lo\n[Network]\nDHCP=yes\n");
  CHECK(verdictOf(managersOf(root.path()), "systemd-networkd runs") == "warning");
  write(root / "etc/systemd/network/05-pons.network", "[Match]\nName=pons* br-lan\n[Link]\nUnmanaged=yes\n");
  CHECK(verdictOf(managersOf(root.path()), "systemd-networkd leaves") == "fine");
}

TEST_CASE("pons doctor: udev changes MAC addresses of bridges that others make") {
  const Scratch root;
  write(root / "usr/lib/systemd/network/99-default.link",
        "[Match]\nOriginalName=*\n[Link]\nMACAddressPolicy=persistent\n");
  CHECK(managersOf(root.path()).empty());
  write(root / "run/udev/control", "");
  CHECK(verdictOf(managersOf(root.path()), "MACAddressPolicy=persistent in ") == "note");
  write(root / "etc/systemd/network/10-bridges.link", "[Match]\nKind=bridge\n[Link]\nMACAddressPolicy=none\n");
  CHECK(managersOf(root.path()).empty());
}

TEST_CASE("On a host: pons doctor changes nothing, and finds nothing where nothing is wrong") {
  REQUIRE_FAKE_HOST(host);
  {
    const Unchanged unchanged{host};
    const Outcome empty = doctorRun();
    CHECK_MESSAGE(empty.ok(), empty.out);
    CHECK(contains(empty.out, "no network of pons is configured in /run/net.d"));
    CHECK(contains(empty.out, "Nothing is in the way of containers"));
  }
  Network demo = demoNetwork();
  demo.attach(host, "c1", publishing({{8080, 80}}));
  const Unchanged unchanged{host};
  const Outcome healthy = doctorRun();
  CHECK_MESSAGE(healthy.ok(), healthy.out);
  CHECK(contains(healthy.out, "1 attachment on record, nothing is missing"));
  CHECK(contains(healthy.out, "it has bridges, veths, and all that pons uses of nf_tables"));
  CHECK(contains(healthy.out, "1 network, with addresses and ports to spare"));
  const auto document = jsonOf(doctorRun({"--json"}));
  const auto diagnoses = document["diagnoses"].items();
  REQUIRE(!diagnoses.empty());
  CHECK(diagnoses.back()["verdict"].string() == "fine");
}

TEST_CASE("On a host: pons doctor finds chains that drop what containers send") {
  REQUIRE_FAKE_HOST(host);
  shell(
      "nft add table ip filter; nft 'add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; "
      "}'");
  Network demo = demoNetwork();
  CHECK(
      contains(doctorRun().out, "nf_tables chain ip filter FORWARD drops what it does not know: the first container"));
  demo.attach(host, "c1");
  CHECK_MESSAGE(doctorRun().ok(), doctorRun().out);
  CHECK(contains(doctorRun().out, "it accepts what pons-demo forwards"));
  shell("nft flush chain ip filter FORWARD");
  const Outcome flushed = doctorRun();
  CHECK(flushed.exitCode == 1);
  CHECK_MESSAGE(contains(flushed.out, "and so what pons-demo forwards"), flushed.out);
  CHECK(contains(flushed.out, "-> pons repair"));
}

TEST_CASE("On a host: pons doctor sees whether a chain's owner speaks for a bridge that pons leaves to him") {
  REQUIRE_FAKE_HOST(host);
  shell(
      "nft add table inet wall; nft 'add chain inet wall wayout { type filter hook forward priority 0; policy drop; "
      "}'");
  Network own{"own", R"("forward": "off", "ipam": {"subnet": "10.42.0.0/24"})"};
  own.attach(host, "c1");
  const Outcome dropped = doctorRun();
  CHECK(dropped.exitCode == 1);
  CHECK_MESSAGE(contains(dropped.out, "inet wall wayout drops what it does not know and has no rule for pons-own"),
                dropped.out);
  shell(
      "nft add chain inet wall fromown; nft add rule inet wall fromown iifname pons-own accept; nft add rule inet wall "
      "wayout "
      "jump fromown");
  CHECK_MESSAGE(doctorRun().ok(), doctorRun().out);
  shell("iptables-nft -P FORWARD DROP");
  CHECK(contains(doctorRun().out, "ip filter FORWARD drops what it does not know and has no rule for pons-own"));
  shell("iptables-nft -A FORWARD -i pons-own -j ACCEPT");
  CHECK_MESSAGE(doctorRun().ok(), doctorRun().out);
}

TEST_CASE("On a host: pons doctor finds what others took away, and what was left behind") {
  REQUIRE_FAKE_HOST(host);
  Network demo = demoNetwork();
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
  const Outcome off = doctorRun();
  CHECK(off.exitCode == 1);
  CHECK_MESSAGE(contains(off.out, "net.ipv4.ip_forward is 0: 2 attachments have no way out of the host"), off.out);
  CHECK(contains(off.out, "2 attachments lack something in the kernel"));
  CHECK(repair().ok());
  CHECK(doctorRun().ok());
  host.endNamespace("/run/netns/c2");
  CHECK(contains(doctorRun().out, "1 attachment is of a dead container or verb"));
  shell("rm " + recordOf(demo, "c1"));
  const Outcome lost = doctorRun();
  CHECK_MESSAGE(contains(lost.out, "leftovers without a record"), lost.out);
  shell("rm -rf /run/pons");
  const Outcome none = doctorRun();
  CHECK(none.exitCode == 1);
  CHECK_MESSAGE(contains(none.out, "there is no ledger, but 1 link of containers"), none.out);
  CHECK(!std::filesystem::exists("/run/pons"));
}

TEST_CASE("On a host: pons doctor reads the configurations, and looks for the plugin and for room") {
  REQUIRE_FAKE_HOST(host);
  Network full{"full", R"("ipam": {"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.10", "rangeEnd": "10.42.0.10"})"};
  write("/run/net.d/1.conf", full.config());
  write("/run/net.d/2.conflist", "{");
  write("/run/net.d/3.conf", R"({"cniVersion": "1.0.0", "name": "bad", "type": "pons", "mtu": "big"})");
  full.attach(host, "c1");
  const Outcome read = doctorRun();
  CHECK(read.exitCode == 1);
  CHECK_MESSAGE(contains(read.out, "/run/net.d/2.conflist: invalid JSON"), read.out);
  CHECK(contains(read.out, "-> pons explain /run/net.d/3.conf tells the place"));
  CHECK(contains(read.out, "full has 0 of 1 addresses left in 10.42.0.10-10.42.0.10"));
  const Outcome elsewhere = tool({"doctor", "--config-dir", "/run/net.d"}, {"CNI_PATH=/run/nothing"});
  CHECK(contains(elsewhere.out, "there is no plugin \"pons\" in /run/nothing, and"));
  CHECK(tool({"doctor", "--colour"}).exitCode == 2);
}

TEST_CASE("On a host: pons doctor reads configurations of the reference plugins where pons took their place") {
  REQUIRE_FAKE_HOST(host);
  write("/run/net.d/1.conf", R"({"cniVersion": "1.0.0", "name": "old", "type": "bridge", "mtu": "big"})");
  CHECK(doctorRun().ok());
  shell("mkdir /run/plugins && ln -s " PONS_BINARY " /run/plugins/pons && ln -s pons /run/plugins/bridge");
  const Outcome replaced = tool({"doctor", "--config-dir", "/run/net.d"}, {"CNI_PATH=/run/plugins"});
  CHECK(replaced.exitCode == 1);
  CHECK_MESSAGE(contains(replaced.out, "/run/net.d/1.conf: "), replaced.out);
}

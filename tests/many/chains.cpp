// Two and three containers of every chain: pons by the names of the reference plugins, and as portmap behind a main
// plugin of others.
#include "tests/many/chains.h"

#include <filesystem>

#include <doctest/doctest.h>

using namespace support;
using netlib::Family;

namespace support {
namespace {

/// host-local with ranges of these subnets, a default route for each.
std::string ipam(const std::vector<std::string>& subnets) {
  std::string ranges, routes;
  for (const std::string& subnet : subnets) {
    const char* separator = ranges.empty() ? "" : ", ";
    const bool isIpv4 = subnet.find(':') == std::string::npos;
    ranges += separator + (R"([{"subnet": ")" + subnet) + "\"}]";
    routes += separator + std::string{R"({"dst": ")"} + (isIpv4 ? "0.0.0.0/0" : "::/0") + "\"}";
  }
  return R"("ipam": {"type": "host-local", "dataDir": "/run/host-local", "ranges": [)" + ranges + R"(], "routes": [)" +
         routes + "]}";
}

const std::string kDual = ipam({"10.42.0.0/24", "fd42::/64"});
const std::string kIpv4 = ipam({"10.42.0.0/24"});
const std::string kNativeIpam = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";
const std::string kGateway = R"("bridge": "cni0", "isGateway": true, "hairpinMode": true, )";

/// The same members in front of each.
std::vector<std::string> each(const std::string& common, const std::vector<std::string>& members) {
  std::vector<std::string> made;
  for (const std::string& one : members) made.push_back(common + ", " + one);
  return made;
}

}  // namespace

const Variants kBridge{
    "bridge",
    each(kGateway + kDual, {R"("ipMasq": true)", R"("ipMasq": true, "mtu": 1420, "ipMasqExclude": ["192.0.2.0/24"])",
                            R"("ipMasq": false, "mtu": 1430)"})};
const Variants kPortmap{"portmap", {R"("snat": true)", R"("snat": false)", R"("masqAll": true)"}, true};

Form chainOf(const std::string& name, const std::vector<Variants>& list) {
  const WishOf wishOf = [list](Settings settings, unsigned number) {
    const auto port = static_cast<std::uint16_t>(8080 + number);
    Wish wish{.list = {}, .ports = {{port, 80}, {port, 80, Transport::Udp}}};
    for (const Variants& plugin : list) {
      wish.list.push_back({plugin.type, chosen(plugin.members, settings, number), plugin.declaresPorts});
    }
    const std::string all = wish.list.front().members + wish.list.at(1).members;
    const auto has = [&all](const std::string& part) { return all.find(part) != std::string::npos; };
    if (has("ipMasqExclude")) wish.masquerade = {Family::Ipv6};
    if (has(R"("ipMasq": false)")) wish.masquerade = {};
    wish.sourceNat = !has(R"("snat": false)");
    return wish;
  };
  return {.name = name, .wishOf = wishOf};
}

}  // namespace support

namespace {

const Variants kFirewall{
    "firewall",
    {R"("ingressPolicy": "same-bridge")", R"("ingressPolicy": "same-bridge", "backend": "firewalld")",
     R"("ingressPolicy": "same-bridge", "iptablesAdminChainName": "OTHER-ADMIN")"}};
const Variants kBandwidth{
    "bandwidth",
    {R"("ingressRate": 20000000, "ingressBurst": 2000000, "egressRate": 10000000, "egressBurst": 1000000)",
     R"("ingressRate": 40000000, "ingressBurst": 4000000)", R"("egressRate": 30000000, "egressBurst": 3000000)"}};
const Variants kTuning{
    "tuning",
    {R"("mtu": 1400, "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"})",
     R"("mac": "02:00:00:00:00:02", "promisc": true)", R"("txQLen": 77, "sysctl": {"net.core.somaxconn": "321"})"}};
const Variants kNative{"pons",
                       each(kNativeIpam, {R"("ipMasq": true)", R"("mtu": 1420, "ipMasqExclude": ["192.0.2.0/24"])",
                                          R"("macspoofchk": false, "ipMasq": false)"})};
// Debian's plugins have no exclusions from masquerade, and their bridge waits for DAD of the IPv6 address.
const std::vector<std::string> kForeignSettings{R"("ipMasq": true)", R"("ipMasq": false)",
                                                R"("ipMasq": true, "mtu": 1430)"};

/// Where the host lets nothing through by itself.
Form behindFirewall(Form form) {
  form.host.rules = "iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP";
  return form;
}

/// With a main plugin of Debian's.
void tryForeign(const std::string& name, const Variants& plugin) {
  if (!std::filesystem::exists("/usr/lib/cni/ptp")) {
    return FakeHost::countSkip("needs containernetworking-plugins, which scripts/setup installs");
  }
  Form form = chainOf(name, {plugin, kPortmap});
  form.foreign = {plugin.type, "host-local"};
  tryEveryOrder(form);
}

}  // namespace

TEST_CASE("Two and three containers of bridge and portmap") {
  tryEveryOrder(chainOf("bridge, portmap", {kBridge, kPortmap}));
}

TEST_CASE("Two and three containers of bridge, portmap and firewall") {
  tryEveryOrder(behindFirewall(chainOf("bridge, portmap, firewall", {kBridge, kPortmap, kFirewall})));
}

TEST_CASE("Two and three containers of bridge, portmap and bandwidth") {
  tryEveryOrder(chainOf("bridge, portmap, bandwidth", {kBridge, kPortmap, kBandwidth}));
}

TEST_CASE("Two and three containers of bridge, portmap and tuning") {
  tryEveryOrder(chainOf("bridge, portmap, tuning", {kBridge, kPortmap, kTuning}));
}

TEST_CASE("Two and three containers of all five plugins") {
  tryEveryOrder(behindFirewall(chainOf("all five", {kBridge, kPortmap, kFirewall, kBandwidth, kTuning})));
}

TEST_CASE("Two and three containers of pons and portmap") {
  tryEveryOrder(chainOf("pons, portmap", {kNative, kPortmap}));
}

TEST_CASE("Two and three containers of another's ptp and portmap") {
  tryForeign("another's ptp, portmap", {"ptp", each(kIpv4, kForeignSettings)});
}

TEST_CASE("Two and three containers of another's bridge and portmap") {
  tryForeign("another's bridge, portmap", {"bridge", each(kGateway + kIpv4, kForeignSettings)});
}

#include "plugin/ctl/explain_keys.h"

#include <array>
#include <vector>

#include "netlib/base/text.h"

#include "plugin/ctl/similar.h"

namespace pons::ctl {

using cni::Applet;

namespace {

struct KeyText {
  std::string_view key;
  std::string_view effect;
  std::string_view whenOff = {};  ///< if the value is false; empty: same as `effect`
};

constexpr std::string_view kInResult = "passed on in the result";
constexpr std::string_view kNothing = "no effect";
constexpr std::string_view kIngressPolicy =
    "\"open\": any container may connect to these; \"same-bridge\": not those of other bridges with a policy; "
    "\"isolated\": not those of this bridge either";

constexpr std::array kOfAll{
    KeyText{"capabilities", "what the runtime may set per container"},
    KeyText{"capabilities.portMappings", "the runtime may publish ports", kNothing},
    KeyText{"capabilities.bandwidth", "the runtime may limit the rates", kNothing},
    KeyText{"capabilities.ips", "the runtime may choose the addresses", kNothing},
    KeyText{"capabilities.mac", "the runtime may choose the MAC address", kNothing},
    KeyText{"capabilities.ipRanges", "the runtime may add address ranges, which precede those of this file", kNothing},
    KeyText{"capabilities.dns", "the runtime may set the DNS configuration", kNothing},
    KeyText{"capabilities.egressPolicy", "the runtime may set the egress policy", kNothing},
    KeyText{"capabilities.rootfs",
            "the runtime passes the container's root directory, whose /etc/resolv.conf gets the DNS configuration",
            kNothing},
    KeyText{"runtimeConfig", "set by the runtime per container; in a file, it applies to all containers"},
    KeyText{"args", "set by an orchestrator per container"},
    KeyText{"prevResult", "the result of the previous plugin, set by the runtime"},
    KeyText{"stateDir", "directory of the ledger, one per host"},
    KeyText{"logFile", "log target: a file, \"journal\", \"syslog\" or \"stderr\""},
    KeyText{"logLevel", "lowest level that is logged"},
    KeyText{"lockTimeout", "seconds to wait for a lock that another call holds"},
};

constexpr std::array kOfNetwork{
    KeyText{"bridge", "Linux bridge of the containers; if pons creates it, the last container's DEL removes it"},
    KeyText{"isGateway", "the bridge has the gateway addresses, and the host forwards IP packets",
            "the bridge has no addresses: layer 2 only"},
    KeyText{"isDefaultGateway", "the container's default routes use the gateway addresses of the bridge",
            "no default routes except those of ipam.routes"},
    KeyText{"ipMasq", "packets that leave the subnet are masqueraded: they get an address of the host",
            "packets that leave the subnet keep the container's address"},
    KeyText{"ipMasqExclude", "destinations exempt from masquerading"},
    KeyText{"ipMasqFamilies", "address families that are masqueraded"},
    KeyText{"ipMasqBackend", "no effect: pons masquerades with nf_tables"},
    KeyText{"hairpinMode", "a container can reach its own published port",
            "a container cannot reach its own published port"},
    KeyText{"promiscMode", "the bridge is promiscuous: it receives all frames", "the bridge is not promiscuous"},
    KeyText{"mtu", "MTU of the veth in bytes; \"auto\": that of the default routes' links; 0: the kernel's default"},
    KeyText{"forceAddress", "addresses of the bridge that overlap the gateway's are replaced",
            "an address of the bridge that overlaps the gateway's is an error"},
    KeyText{"portIsolation", "containers reach the gateway, but not each other", "containers reach each other"},
    KeyText{"internal", "no default route, no masquerading, and no forwarding from or to the bridge",
            "containers reach other hosts"},
    KeyText{"macspoofchk", "frames with another source MAC address than the container's are dropped",
            "frames with any source MAC address pass"},
    KeyText{"ipSpoofCheck",
            "packets with another source IP address than the container's are dropped, also DHCP server messages and "
            "router advertisements",
            "packets with any source IP address pass"},
    KeyText{"egressPolicy", "all outbound connections are denied (and counted); replies pass"},
    KeyText{"egressPolicy.allowedCidrs", "allowed destinations; other connections are dropped and counted"},
    KeyText{"egressPolicy.allowedTcpPorts", "allowed TCP ports of these destinations; UDP only with allowedUdpPorts"},
    KeyText{"egressPolicy.allowedUdpPorts", "allowed UDP ports of these destinations; TCP only with allowedTcpPorts"},
    KeyText{"egressPolicy.allowDns", "DNS to the servers of dns.nameservers is allowed",
            "DNS needs allowedCidrs and its port like any other connection"},
    KeyText{"egressPolicy.logDenied", "drops are logged by the kernel, rate-limited to 5 per minute",
            "drops are counted, not logged"},
    KeyText{"forward",
            "\"auto\": if the host's firewall drops forwarded packets, rules that accept this bridge's traffic are "
            "added to it; \"off\": no rules are added"},
    KeyText{"ingressPolicy", kIngressPolicy},
    KeyText{"enabledad", "duplicate address detection for IPv6 addresses: ADD takes 1.5 s longer",
            "IPv6 addresses are usable at once, without duplicate address detection"},
    KeyText{"disableContainerInterface", "the container's interface stays down and has no addresses",
            "the container's interface is up"},
    KeyText{"portMappings", "host ports that are forwarded to the container"},
    KeyText{"bandwidth", "rates in bit/s: ingressRate to the container, egressRate from the container"},
    KeyText{"vlan", "no effect if 0; pons does not filter VLANs"},
    KeyText{"vlanTrunk", "no effect if empty; pons does not filter VLANs"},
    KeyText{"preserveDefaultVlan", "no effect: pons does not filter VLANs"},
    KeyText{"dns", kInResult},
    KeyText{"dns.nameservers", kInResult},
    KeyText{"dns.domain", kInResult},
    KeyText{"dns.search", kInResult},
    KeyText{"dns.options", kInResult},
    KeyText{"ipam", "no addresses: layer 2 only"},
    KeyText{"ipam.type",
            "assigns the addresses: pons, host-local (its files), static, or the IPAM plugin of that name"},
    KeyText{"ipam.subnet", "the first range set: each container gets one address from it"},
    KeyText{"ipam.rangeStart", "first address of ipam.subnet that is assigned"},
    KeyText{"ipam.rangeEnd", "last address of ipam.subnet that is assigned"},
    KeyText{"ipam.gateway", "gateway of ipam.subnet"},
    KeyText{"ipam.ranges", "range sets: each container gets one address from each"},
    KeyText{"ipam.exclude", "addresses that are never assigned"},
    KeyText{"ipam.routes", "routes in the container"},
    KeyText{"ipam.addresses", "addresses of the container"},
    KeyText{"ipam.dataDir", "directory of host-local's files"},
    KeyText{"ipam.resolvConf", "a resolv.conf(5) whose DNS configuration is passed on in the result"},
    KeyText{"ipam.dns", kInResult},
};

constexpr std::array kOfPortmap{
    KeyText{"snat", "published ports are reachable at 127.0.0.1 and from the container itself",
            "published ports are reachable neither at 127.0.0.1 nor from the container itself"},
    KeyText{"masqAll", "connections to published ports are masqueraded: their source is an address of the host",
            "connections to published ports keep their source address"},
    KeyText{"backend", "no effect: ports are published with nf_tables"},
    KeyText{"markMasqBit", "no effect: no packet mark is needed"},
    KeyText{"externalSetMarkChain", "no effect if empty"},
    KeyText{"conditionsV4", "no effect if empty"},
    KeyText{"conditionsV6", "no effect if empty"},
    KeyText{"portMappings", "host ports that are forwarded to the container"},
};

constexpr std::array kOfFirewall{
    KeyText{"backend", "no effect: accept rules are added to every firewall that drops forwarded packets"},
    KeyText{"iptablesAdminChainName", "the administrator's chain, evaluated before the accept rules"},
    KeyText{"ingressPolicy", kIngressPolicy},
};

constexpr std::array kOfBandwidth{
    KeyText{"ingressRate", "bit/s to the container"},
    KeyText{"ingressBurst", "burst to the container, in bits"},
    KeyText{"egressRate", "bit/s from the container"},
    KeyText{"egressBurst", "burst from the container, in bits"},
};

constexpr std::array kOfTuning{
    KeyText{"sysctl", "sysctls in the container's network namespace"},
    KeyText{"mac", "MAC address of the interface"},
    KeyText{"mtu", "MTU of the interface in bytes"},
    KeyText{"promisc", "the interface is promiscuous: it receives all frames", kNothing},
    KeyText{"allmulti", "the interface receives all multicast frames", kNothing},
    KeyText{"txQLen", "length of the interface's transmit queue, in packets"},
};

std::vector<KeyText> textsFor(Applet applet) {
  std::vector<KeyText> texts;
  const auto add = [&texts](const auto& some) { texts.insert(texts.end(), some.begin(), some.end()); };
  if (applet == Applet::Pons || applet == Applet::Bridge) add(kOfNetwork);
  if (applet == Applet::Portmap) add(kOfPortmap);
  if (applet == Applet::Firewall) add(kOfFirewall);
  if (applet == Applet::Bandwidth) add(kOfBandwidth);
  if (applet == Applet::Tuning) add(kOfTuning);
  add(kOfAll);
  return texts;
}

}  // namespace

std::string_view effectOf(Applet applet, std::string_view key, bool isOff) {
  for (const KeyText& text : textsFor(applet)) {
    if (!netlib::equalIgnoringCase(text.key, key)) continue;
    return isOff && !text.whenOff.empty() ? text.whenOff : text.effect;
  }
  return {};
}

std::string_view similarKey(Applet applet, std::string_view key) {
  std::vector<std::string_view> keys;
  for (const KeyText& text : textsFor(applet)) keys.push_back(text.key);
  return similarTo(key, keys);
}

}  // namespace pons::ctl

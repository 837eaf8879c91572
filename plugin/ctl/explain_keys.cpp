#include "plugin/ctl/explain_keys.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "netlib/base/text.h"

namespace pons::tools {

using cni::Applet;

namespace {

struct Words {
  std::string_view key;
  std::string_view effect;
  std::string_view whenOff = {};  ///< where the value is false; empty: the same
};

constexpr std::array kOfAll{
    Words{"capabilities", "what the runtime may say of each container"},
    Words{"capabilities.portMappings", "the runtime may publish ports", "nothing"},
    Words{"capabilities.bandwidth", "the runtime may limit the rates", "nothing"},
    Words{"capabilities.ips", "the runtime may choose the addresses", "nothing"},
    Words{"capabilities.mac", "the runtime may choose the MAC address", "nothing"},
    Words{"capabilities.ipRanges", "the runtime may give the ranges of addresses, which come before those here",
          "nothing"},
    Words{"capabilities.dns", "the runtime may give the DNS settings", "nothing"},
    Words{"capabilities.egressPolicy", "the runtime may say what a container may talk to", "nothing"},
    Words{"capabilities.rootfs",
          "the runtime tells where the container's root is, whose /etc/resolv.conf gets the DNS settings", "nothing"},
    Words{"runtimeConfig", "what a runtime says of one container; in a file it is said of all"},
    Words{"args", "what an orchestrator says of one container"},
    Words{"prevResult", "the result of the plugin before; a runtime puts it here"},
    Words{"stateDir", "where the ledger is: one for a host"},
    Words{"logFile", "where lines for people go: a file, \"journal\", \"syslog\" or \"stderr\""},
    Words{"logLevel", "from which level on lines are written"},
    Words{"lockTimeout", "how many seconds a verb waits for another"},
};

constexpr std::array kOfNetwork{
    Words{"bridge", "joins the containers; made where it is missing, gone with the last one if pons made it"},
    Words{"isGateway", "the bridge bears the gateway addresses, and the host forwards",
          "the bridge bears no address: a plain switch"},
    Words{"isDefaultGateway", "the container's default routes lead through the bridge",
          "no default routes but those in ipam.routes"},
    Words{"ipMasq", "what leaves the subnet goes out under the host's address",
          "what leaves the subnet goes out under the container's own address"},
    Words{"ipMasqExclude", "these destinations see the container's own address"},
    Words{"ipMasqFamilies", "the families that are masqueraded"},
    Words{"ipMasqBackend", "nothing: pons masquerades by nf_tables"},
    Words{"hairpinMode", "a container reaches itself by its own published port",
          "a container does not reach itself by its own published port"},
    Words{"promiscMode", "the bridge takes every frame that passes, its own or not", "the bridge takes its own frames"},
    Words{"mtu",
          "bytes of a packet at both ends; \"auto\": as the links of the default routes; 0: the kernel's default"},
    Words{"forceAddress", "addresses of the bridge that overlap the gateway's are replaced",
          "an address of the bridge that overlaps the gateway's is an error"},
    Words{"portIsolation", "containers reach the gateway, not each other", "containers reach each other"},
    Words{"internal", "no default route, no masquerade, and nothing is forwarded out of the bridge or into it",
          "containers reach what the host reaches"},
    Words{"macspoofchk", "what the container sends has to bear its MAC address", "it may bear any MAC address"},
    Words{"ipSpoofCheck", "and its addresses; it serves no DHCP and advertises no routes", "it may bear any address"},
    Words{"egressPolicy", "the container may begin nothing: all that it sends is dropped and counted, but answers"},
    Words{"egressPolicy.allowedCidrs", "what the container may begin to talk to; all else is dropped and counted"},
    Words{"egressPolicy.allowedTcpPorts", "of those only these TCP ports, and no UDP but what allowedUdpPorts has"},
    Words{"egressPolicy.allowedUdpPorts", "of those only these UDP ports, and no TCP but what allowedTcpPorts has"},
    Words{"egressPolicy.allowDns", "DNS to the servers of dns.nameservers is let through",
          "DNS is let through only where allowedCidrs and ports let it"},
    Words{"egressPolicy.logDenied", "five of the drops a minute are written to the kernel's log",
          "drops are counted, not logged"},
    Words{"forward",
          "\"auto\": where the host's own firewall drops what it forwards, this bridge is accepted there; "
          "\"off\": it is left as it is"},
    Words{"ingressPolicy",
          "\"open\": any container may call these; \"same-bridge\": no others that have a policy; "
          "\"isolated\": not even those of this bridge"},
    Words{"enabledad", "IPv6 addresses are tested for duplicates, which takes 1.5 seconds",
          "IPv6 addresses can be used at once"},
    Words{"disableContainerInterface", "the container's interface stays down and has no addresses",
          "the container's interface is up"},
    Words{"portMappings", "host ports that lead to the container"},
    Words{"bandwidth", "rates in bits a second: ingressRate towards the container, egressRate from it"},
    Words{"vlan", "nothing where it is 0; pons does not filter VLANs"},
    Words{"vlanTrunk", "nothing where it is empty; pons does not filter VLANs"},
    Words{"preserveDefaultVlan", "nothing: pons does not filter VLANs"},
    Words{"dns", "handed on in the result"},
    Words{"dns.nameservers", "handed on in the result"},
    Words{"dns.domain", "handed on in the result"},
    Words{"dns.search", "handed on in the result"},
    Words{"dns.options", "handed on in the result"},
    Words{"ipam", "no addresses: a plain port of the bridge"},
    Words{"ipam.type", "who chooses the addresses: pons, the files of host-local, static, or a program of that name"},
    Words{"ipam.subnet", "the first range set: one address of each container comes from it"},
    Words{"ipam.rangeStart", "the first address of ipam.subnet that is given"},
    Words{"ipam.rangeEnd", "the last address of ipam.subnet that is given"},
    Words{"ipam.gateway", "the gateway of ipam.subnet"},
    Words{"ipam.ranges", "range sets: each container gets one address from each"},
    Words{"ipam.exclude", "addresses that are never given"},
    Words{"ipam.routes", "routes in the container"},
    Words{"ipam.addresses", "the addresses that the container gets"},
    Words{"ipam.dataDir", "where host-local keeps its files"},
    Words{"ipam.resolvConf", "a file whose DNS settings are handed on in the result"},
    Words{"ipam.dns", "handed on in the result"},
};

constexpr std::array kOfPortmap{
    Words{"snat", "published ports answer at 127.0.0.1 and to the container itself",
          "published ports answer neither at 127.0.0.1 nor to the container itself"},
    Words{"masqAll", "whoever uses a published port appears under an address of the host",
          "the container sees who uses its published ports"},
    Words{"backend", "nothing: ports are published by nf_tables, which has the same effect"},
    Words{"markMasqBit", "nothing: no mark is needed"},
    Words{"externalSetMarkChain", "nothing where it is empty"},
    Words{"conditionsV4", "nothing where it is empty"},
    Words{"conditionsV6", "nothing where it is empty"},
    Words{"portMappings", "host ports that lead to the container"},
};

constexpr std::array kOfFirewall{
    Words{"backend", "nothing: the host's firewall, whichever it is, is made to accept the bridge"},
    Words{"iptablesAdminChainName", "a chain of the administrator that is asked first"},
    Words{"ingressPolicy",
          "\"open\": any container may call these; \"same-bridge\": no others that have a policy; "
          "\"isolated\": not even those of this bridge"},
};

constexpr std::array kOfBandwidth{
    Words{"ingressRate", "bits a second towards the container"},
    Words{"ingressBurst", "bits that may pass at once towards it"},
    Words{"egressRate", "bits a second from the container"},
    Words{"egressBurst", "bits that may pass at once from it"},
};

constexpr std::array kOfTuning{
    Words{"sysctl", "kernel parameters in the container's namespace"},
    Words{"mac", "the MAC address of the interface"},
    Words{"mtu", "the MTU of the interface, bytes"},
    Words{"promisc", "the interface takes every frame", "nothing"},
    Words{"allmulti", "the interface takes all multicast", "nothing"},
    Words{"txQLen", "packets that may wait to be sent"},
};

std::vector<Words> wordsFor(Applet applet) {
  std::vector<Words> words;
  const auto add = [&words](const auto& some) { words.insert(words.end(), some.begin(), some.end()); };
  if (applet == Applet::Pons || applet == Applet::Bridge) add(kOfNetwork);
  if (applet == Applet::Portmap) add(kOfPortmap);
  if (applet == Applet::Firewall) add(kOfFirewall);
  if (applet == Applet::Bandwidth) add(kOfBandwidth);
  if (applet == Applet::Tuning) add(kOfTuning);
  add(kOfAll);
  return words;
}

/// How many letters have to be put in, taken out or changed (Levenshtein).
std::size_t distance(std::string_view one, std::string_view other) {
  std::vector<std::size_t> row(other.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < one.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < other.size(); ++j) {
      const std::size_t change = diagonal + (netlib::lowerCaseOf(one[i]) == netlib::lowerCaseOf(other[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view effectOf(Applet applet, std::string_view key, bool isOff) {
  for (const Words& words : wordsFor(applet)) {
    if (!netlib::equalIgnoringCase(words.key, key)) continue;
    return isOff && !words.whenOff.empty() ? words.whenOff : words.effect;
  }
  return {};
}

std::string_view similarTo(Applet applet, std::string_view key) {
  constexpr std::size_t kFarthest = 2;
  std::string_view nearest;
  std::size_t least = kFarthest + 1;
  for (const Words& words : wordsFor(applet)) {
    const std::size_t away = distance(words.key, key);
    if (away >= least || away * 2 >= key.size()) continue;
    least = away;
    nearest = words.key;
  }
  return nearest;
}

}  // namespace pons::tools

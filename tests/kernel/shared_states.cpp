#include "tests/kernel/shared_states.h"

#include <algorithm>

#include "netlib/os/sysctl.h"

#include "plugin/firewall/source_subnets.h"

#include "tests/support/attachments.h"
#include "tests/support/process.h"
#include "tests/support/text.h"

namespace support {

namespace {

constexpr const char* kSubnet = R"("ipam": {"subnet": "10.42.0.0/24"})";
constexpr const char* kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

std::string yesNo(bool yes) { return yes ? "yes" : "no"; }

bool any(const Attached& attached, const Attached& of) {
  return std::ranges::any_of(attached, [&](std::size_t number) { return of.contains(number); });
}

std::string setText(const std::string& table, const std::string& set) {
  return shown({"nft", "list", "set", table, "pons", set});
}
bool inBothSets(const std::string& set) {
  return contains(setText("ip", set), "\"pons0\"") && contains(setText("ip6", set), "\"pons0\"");
}
std::size_t countIn(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

/// "isolated c1:on c2:off c3:-": the bridge's policy in nf_tables, and the isolation of each container's port.
std::string observeIngress() {
  std::string text = !inBothSets("policy_bridges") ? "open" : inBothSets("same_bridge_ok") ? "same-bridge" : "isolated";
  for (std::size_t number = 0; number < 3; ++number) {
    const std::string port = bridgeText(pons::hostVethName(keyOf(containerOf(number))).toString());
    text += " " + containerOf(number) + ":" + (port.empty() ? "-" : contains(port, " isolated on ") ? "on" : "off");
  }
  return text;
}

/// `isolated`, `sameBridge` and `own`: the containers with that policy, and those with "portIsolation".
std::function<std::string(const Attached&)> ingressRule(const Attached& isolated, const Attached& sameBridge,
                                                        const Attached& own) {
  return [=](const Attached& attached) {
    const bool all = any(attached, isolated);
    std::string text = all ? "isolated" : any(attached, sameBridge) ? "same-bridge" : "open";
    for (std::size_t number = 0; number < 3; ++number) {
      text += " " + containerOf(number) + ":" +
              (!attached.contains(number)    ? "-"
               : all || own.contains(number) ? "on"
                                             : "off");
    }
    return text;
  };
}

/// By which subnet's chain packets from these addresses pass.
const std::vector<std::string> kProbes{"10.42.1.5", "10.42.7.7", "10.43.0.5"};
const std::vector<std::string> kNested{"10.42.0.0/16", "10.42.1.0/24", "10.43.0.0/24"};

std::string observeSources() {
  std::string text;
  for (const std::string& probe : kProbes) {
    const std::string found = shown({"nft", "get", "element", "ip", "pons", "sources", "{ " + probe + " }"});
    std::string chain = "none";
    for (const std::string& subnet : kNested) {
      if (contains(found, "jump " + pons::nat::subnetChain(prefix(subnet)))) chain = subnet;
    }
    text += probe + ":" + chain + " ";
  }
  return text;
}
std::string sourcesRule(const Attached& attached) {
  std::string text;
  for (const std::string& probe : kProbes) {
    std::string narrowest = "none";
    for (const std::size_t number : attached) {  // the second lies within the first
      if (prefix(kNested.at(number)).contains(ip(probe))) narrowest = kNested.at(number);
    }
    text += probe + ":" + narrowest + " ";
  }
  return text;
}

}  // namespace

std::string withSubnet(const std::string& members) { return kSubnet + (members.empty() ? "" : ", " + members); }

std::string shown(const std::vector<std::string>& command) {
  const Outcome outcome = run(command);
  return outcome.ok() ? outcome.out : "";
}

std::string bridgeText(const std::string& bridge) { return shown({"ip", "-d", "-o", "link", "show", "dev", bridge}); }

std::string mtuOf(const std::string& link) {
  const std::string text = bridgeText(link);
  const auto at = text.find(" mtu ");
  return at == std::string::npos ? "none" : text.substr(at + 5, text.find(' ', at + 5) - at - 5);
}

bool isOn(const std::string& sysctl) {
  const auto value = netlib::sysctl::read(sysctl);
  return value.ok() && *value == "1";
}

std::vector<SharedState> sharedStates() {
  const std::string isolated = withSubnet(R"("ingressPolicy": "isolated")");
  const std::string sameBridge = withSubnet(R"("ingressPolicy": "same-bridge")");
  const std::string egress = withSubnet(R"("egressPolicy": {"allowedCidrs": ["192.0.2.0/24"]})");
  const auto port = [](int number) {
    return withSubnet(R"("portMappings": [{"hostPort": )" + std::to_string(number) + R"(, "containerPort": 80}])");
  };
  const auto nested = [](std::size_t number) {
    return R"("bridge": "pons)" + std::to_string(number) +
           R"(", "isGateway": false, "ipMasq": true, "ipam": {"subnet": ")" + kNested.at(number) + "\"}";
  };
  return {{"promiscuous mode",
           {withSubnet(R"("promiscMode": true)"), withSubnet(""), withSubnet(R"("promiscMode": true)")},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 2}));
           },
           [] { return yesNo(contains(bridgeText(), "PROMISC")); }},
          {"MTU",
           {withSubnet(R"("mtu": 1500)"), withSubnet(R"("mtu": 1400)"), withSubnet(R"("mtu": 1300)")},
           [](const Attached& attached) {
             return attached.empty() ? std::string{"none"} : std::to_string(1500 - 100 * *attached.rbegin());
           },
           [] { return mtuOf("pons0"); }},
          {"ingress policy", {isolated, sameBridge, withSubnet("")}, ingressRule({0}, {1}, {}), observeIngress},
          {"ingress policy beside port isolation",
           {withSubnet(R"("portIsolation": true)"), isolated, isolated},
           ingressRule({1, 2}, {}, {0}),
           observeIngress},
          {"internal and forwarding",
           {withSubnet(R"("internal": true)"), withSubnet(""), withSubnet(R"("internal": true)")},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 2})) + " " + yesNo(any(attached, {1}));
           },
           [] { return yesNo(inBothSets("internal_bridges")) + " " + yesNo(isOn("net/ipv4/ip_forward")); }},
          {"published ports only",
           {withSubnet(R"("publishedOnly": true)"), withSubnet(""), withSubnet(R"("publishedOnly": true)")},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 2})) + " " + yesNo(any(attached, {0, 2}));
           },
           [] { return yesNo(inBothSets("published_only")) + " " + yesNo(inBothSets("published_pairs")); }},
          {"no answer to what is denied",
           {withSubnet(R"("internal": true, "onDeny": "drop")"), withSubnet(R"("publishedOnly": true)"),
            withSubnet(R"("publishedOnly": true, "onDeny": "drop")")},
           [](const Attached& attached) {
             return yesNo(any(attached, {0})) + " " + yesNo(any(attached, {1, 2})) + " " + yesNo(any(attached, {0, 2}));
           },
           [] {
             return yesNo(inBothSets("internal_bridges")) + " " + yesNo(inBothSets("published_only")) + " " +
                    yesNo(inBothSets("silent_bridges"));
           }},
          {"forwarding of each family",
           {withSubnet(""), kDual, withSubnet(R"("isGateway": false)")},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 1})) + " " + yesNo(any(attached, {1}));
           },
           [] { return yesNo(isOn("net/ipv4/ip_forward")) + " " + yesNo(isOn("net/ipv6/conf/all/forwarding")); }},
          {"br_netfilter",
           {egress, withSubnet(""), egress},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 2}));
           },
           [] { return yesNo(contains(bridgeText(), "nf_call_iptables 1 nf_call_ip6tables 1 ")); }},
          {"route_localnet",
           {port(8080), withSubnet(""), port(8081)},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 2})) + " " + yesNo(any(attached, {0, 2}));
           },
           [] {
             return yesNo(isOn("net/ipv4/conf/pons0/route_localnet")) + " " +
                    yesNo(contains(setText("ip", "bridges"), "\"pons0\""));
           }},
          {"tables",
           {withSubnet(R"("ipMasq": false, "macspoofchk": false)"), withSubnet(R"("macspoofchk": false)"), kDual},
           [](const Attached& attached) {
             return yesNo(any(attached, {1, 2})) + " " + yesNo(any(attached, {2})) + " " + yesNo(any(attached, {2}));
           },
           [] {
             const std::string tables = outputOf({"nft", "list", "tables"});
             return yesNo(contains(tables, "table ip pons")) + " " + yesNo(contains(tables, "table ip6 pons")) + " " +
                    yesNo(contains(tables, "table bridge pons"));
           }},
          {"chains of subnets and networks",
           {withSubnet(""), withSubnet(R"("ipMasqExclude": ["10.0.0.0/8"])"), withSubnet(R"("ipMasq": false)")},
           [](const Attached& attached) {
             const std::size_t networks = attached.size() - (attached.contains(2) ? 1 : 0);
             return std::to_string(networks) + " " + std::to_string(networks) + " " + (networks > 0 ? "1" : "0");
           },
           [] {
             const std::string table = shown({"nft", "list", "table", "ip", "pons"});
             return std::to_string(countIn(table, "chain net_")) + " " + std::to_string(countIn(table, "jump net_")) +
                    " " + std::to_string(countIn(table, "chain subnet_"));
           }},
          {"subnets within subnets", {nested(0), nested(1), nested(2)}, sourcesRule, observeSources},
          {"gateway addresses",
           {withSubnet(""), R"("ipam": {"subnet": "10.43.0.0/24"})", withSubnet("")},
           [](const Attached& attached) {
             return yesNo(any(attached, {0, 2})) + " " + yesNo(any(attached, {1}));
           },
           [] {
             const std::string addresses = shown({"ip", "-o", "addr", "show", "dev", "pons0"});
             return yesNo(contains(addresses, "10.42.0.1/24")) + " " + yesNo(contains(addresses, "10.43.0.1/24"));
           }},
          {"accept rules of the host's firewall",
           {withSubnet(""), withSubnet(R"("forward": "off")"), withSubnet("")},
           [](const Attached& attached) {
             return std::string{any(attached, {0, 2}) ? "3" : "0"};
           },
           [] {
             return std::to_string(countIn(outputOf({"iptables-nft", "-S", "FORWARD"}), "pons forward pons0"));
           },
           "iptables-nft -P FORWARD DROP"}};
}

}  // namespace support

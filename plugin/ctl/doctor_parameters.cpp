// Parameters of the kernel that stand in the way of containers, and tables that run full.
#include <algorithm>
#include <charconv>

#include "netlib/os/sysctl.h"
#include "netlib/rtnl/link.h"
#include "netlib/rtnl/route.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

using netlib::Family;

namespace {

constexpr const char* kArea = "settings";

/// As people write it.
std::string dotted(std::string name) {
  std::ranges::replace(name, '/', '.');
  return name;
}

/// The table of connections that the whole host shares.
void lookAtConnections(Diagnoses& diagnoses, const ParameterOf& parameterOf) {
  const auto used = parameterOf("net/netfilter/nf_conntrack_count");
  const auto room = parameterOf("net/netfilter/nf_conntrack_max");
  if (!used || !room || *room == 0) return;
  const std::uint64_t percent = *used * 100 / *room;
  const std::string what = "the table of connections has " + std::to_string(*used) + " of " + std::to_string(*room) +
                           " entries (" + std::to_string(percent) + " %)";
  if (percent < 80) return diagnoses.push_back({Verdict::Fine, kArea, what});
  diagnoses.push_back({percent < 95 ? Verdict::Warning : Verdict::Fault, kArea,
                       what + ": once it is full new connections are dropped",
                       "a larger net.netfilter.nf_conntrack_max, or less of what opens so many"});
}

/// Each container that the host talks to has an entry there.
void lookAtNeighbours(Diagnoses& diagnoses, const Needs& needs, const ParameterOf& parameterOf) {
  for (const auto& [family, addresses] : needs.addresses) {
    const std::string name =
        family == Family::Ipv4 ? "net/ipv4/neigh/default/gc_thresh3" : "net/ipv6/neigh/default/gc_thresh3";
    const auto room = parameterOf(name);
    if (!room || addresses * 10 < *room * 8) continue;
    diagnoses.push_back({addresses < *room ? Verdict::Warning : Verdict::Fault, kArea,
                         std::string{netlib::nameOf(family)} + ": containers have " + std::to_string(addresses) +
                             " addresses, and the table of neighbours has " + std::to_string(*room) +
                             " entries: without one there is no way to a container",
                         "sysctl -w " + dotted(name) + "=" + std::to_string(addresses * 4)});
  }
}

void lookAtForwarding(Diagnoses& diagnoses, const Needs& needs, const ParameterOf& parameterOf) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const std::string name = family == Family::Ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    if (parameterOf(name) != 0) continue;  // or this kernel has no IPv6
    const auto users = needs.forwarding.find(family);
    if (users == needs.forwarding.end()) {
      diagnoses.push_back(
          {Verdict::Note, kArea, dotted(name) + " is 0: the first container that needs it changes that"});
    } else {
      diagnoses.push_back({Verdict::Fault, kArea,
                           dotted(name) + " is 0: " + counted(users->second, "attachment") +
                               (users->second == 1 ? " has" : " have") + " no way out of the host",
                           "pons repair; and what sets it to 0 (a file in /etc/sysctl.d, perhaps)"});
    }
  }
}

void lookAtIpv6(Diagnoses& diagnoses, const Needs& needs, const ParameterOf& parameterOf) {
  const auto disabled = parameterOf("net/ipv6/conf/all/disable_ipv6");
  if (disabled == 0) return;
  const bool needed = needs.addresses.contains(Family::Ipv6);
  diagnoses.push_back(
      {needed ? Verdict::Fault : Verdict::Note, kArea,
       disabled ? "net.ipv6.conf.all.disable_ipv6 is " + std::to_string(*disabled) : "this kernel has no IPv6",
       disabled ? "sysctl -w net.ipv6.conf.all.disable_ipv6=0, where networks have IPv6 ranges" : ""});
}

/// With several ways out an answer may come back by another one than a strict filter expects.
void lookAtReversePath(Diagnoses& diagnoses, const ParameterOf& parameterOf, const std::vector<std::string>& uplinks) {
  if (uplinks.size() < 2) return;
  const auto filterOf = [&](const std::string& link) {
    return parameterOf("net/ipv4/conf/" + link + "/rp_filter").value_or(0);
  };
  for (const std::string& link : uplinks) {
    if (std::max(filterOf("all"), filterOf(link)) != 1) continue;
    diagnoses.push_back({Verdict::Warning, kArea,
                         "rp_filter of " + link + " is 1 (strict), and there are " + std::to_string(uplinks.size()) +
                             " ways out: what comes back by another way than it went is dropped",
                         "sysctl -w net.ipv4.conf." + link + ".rp_filter=2"});
  }
}

void lookAtBridgeFilter(Diagnoses& diagnoses, const Needs& needs, const ParameterOf& parameterOf) {
  const auto ipv4 = parameterOf("net/bridge/bridge-nf-call-iptables");
  if (!ipv4 && needs.bridgeFilter) {
    diagnoses.push_back({Verdict::Fault, kArea, "br_netfilter is not loaded, and egress policies need it",
                         "modprobe br_netfilter; a line \"br_netfilter\" in /etc/modules-load.d/pons.conf does it at "
                         "every boot"});
  } else if (!ipv4) {
    diagnoses.push_back({Verdict::Note, kArea, "br_netfilter is not loaded: only egress policies need it"});
  }
  std::vector<std::string> filtered;
  for (const char* name : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
    if (parameterOf(name).value_or(0) != 0) filtered.push_back(dotted(name) + " is 1");
  }
  if (filtered.empty()) return;
  diagnoses.push_back({Verdict::Note, kArea,
                       joined(filtered) + ": what containers of one bridge say to each other passes the host's forward "
                                          "chains, too"});
}

}  // namespace

std::optional<std::uint64_t> parameterOf(const std::string& name) {
  const auto text = netlib::sysctl::read(name);
  std::uint64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc{}) {
    return std::nullopt;
  }
  return number;
}

std::vector<std::string> uplinks() {
  std::vector<std::string> names;
  auto route = netlib::Socket::open(netlib::Socket::Subsystem::Route);
  if (!route) return names;
  const auto links = netlib::route::defaultLinks(*route);
  if (!links) return names;
  for (const unsigned index : *links) {
    if (const auto link = netlib::link::find(*route, index)) names.push_back(link->name);
  }
  return names;
}

void lookAtParameters(Diagnoses& diagnoses, const Needs& needs, const ParameterOf& parameterOf,
                      const std::vector<std::string>& uplinks) {
  lookAtForwarding(diagnoses, needs, parameterOf);
  lookAtIpv6(diagnoses, needs, parameterOf);
  lookAtConnections(diagnoses, parameterOf);
  lookAtNeighbours(diagnoses, needs, parameterOf);
  lookAtReversePath(diagnoses, parameterOf, uplinks);
  lookAtBridgeFilter(diagnoses, needs, parameterOf);
}

}  // namespace pons::tools

// Sysctls, and the usage of the conntrack and neighbour tables.
#include <algorithm>
#include <charconv>

#include "netlib/os/sysctl.h"
#include "netlib/rtnl/link.h"
#include "netlib/rtnl/route.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"

namespace pons::ctl {

using netlib::Family;
using netlib::sysctl::dotted;

namespace {

void checkConntrack(Area& area, const ParameterOf& parameterOf) {
  const auto used = parameterOf("net/netfilter/nf_conntrack_count");
  const auto limit = parameterOf("net/netfilter/nf_conntrack_max");
  if (!used || !limit || *limit == 0) {
    return area.notChecked("usage of the conntrack table", "no net.netfilter.nf_conntrack_count");
  }
  const std::uint64_t percent = *used * 100 / *limit;
  const std::string what = "conntrack: " + std::to_string(*used) + " of " + std::to_string(*limit) + " entries used (" +
                           std::to_string(percent) + " %)";
  if (percent < 80) return area.fine(what);
  area.add(FindingId::ConntrackNearlyFull, percent < 95 ? Severity::Warning : Severity::Fault,
           what + ": when the table is full, new connections are dropped",
           "increase net.netfilter.nf_conntrack_max, or open fewer connections");
}

/// The host needs a neighbour entry for each container address.
void checkNeighbours(Area& area, const Needs& needs, const ParameterOf& parameterOf) {
  for (const auto& [family, addresses] : needs.addresses) {
    const std::string name =
        family == Family::Ipv4 ? "net/ipv4/neigh/default/gc_thresh3" : "net/ipv6/neigh/default/gc_thresh3";
    const auto limit = parameterOf(name);
    if (!limit || addresses * 10 < *limit * 8) continue;
    area.add(FindingId::NeighbourTableNearlyFull, addresses < *limit ? Severity::Warning : Severity::Fault,
             std::string{netlib::nameOf(family)} + ": containers have " + std::to_string(addresses) +
                 " addresses, but the neighbour (ARP/NDP) table is limited to " + std::to_string(*limit) +
                 " entries (gc_thresh3): containers become unreachable",
             "sysctl -w " + dotted(name) + "=" + std::to_string(addresses * 4));
  }
}

void checkIpForwarding(Area& area, const Needs& needs, const ParameterOf& parameterOf) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const std::string name = family == Family::Ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    if (parameterOf(name) != 0) continue;  // or this kernel has no IPv6
    const auto users = needs.forwarding.find(family);
    if (users == needs.forwarding.end()) {
      area.note(FindingId::IpForwardingOff, dotted(name) +
                                                " is 0; pons sets it to 1 with the first container that has an " +
                                                std::string{netlib::nameOf(family)} + " address");
    } else {
      area.fault(FindingId::IpForwardingOff,
                 dotted(name) + " is 0: " + counted(users->second, "attachment") + " cannot reach other hosts",
                 "\"ponsctl repair\"; then find what sets it to 0, for example a file in /etc/sysctl.d");
    }
  }
}

/// A new link, such as the bridge of a network, gets the value of "default"; writing "all" changes those that exist.
void checkIpv6(Area& area, const Needs& needs, const ParameterOf& parameterOf) {
  const auto parameterFor = [](const std::string& link) { return "net/ipv6/conf/" + link + "/disable_ipv6"; };
  std::set<std::string> links{"all", "default"};
  std::set<std::string> networks;
  for (const auto& [network, bridge] : needs.ipv6Bridges) {
    networks.insert(network);
    links.insert(bridge);
  }
  std::vector<std::string> disabled;
  for (const std::string& link : links) {
    if (parameterOf(parameterFor(link)).value_or(0) != 0) disabled.push_back(dotted(parameterFor(link)));
  }
  const bool isThere = parameterOf(parameterFor("all")).has_value();
  if (isThere && disabled.empty()) return;
  const Severity severity = networks.empty() ? Severity::Note : Severity::Fault;
  std::string what =
      isThere ? joined(disabled, " and ") + (disabled.size() == 1 ? " is 1" : " are 1") : "this kernel has no IPv6";
  if (!networks.empty()) what += ", but networks have IPv6 addresses: " + someOf(networks);
  const std::string enable = "sysctl -w " + joined(disabled, "=0 ") + "=0, also in /etc/sysctl.d";
  if (!isThere) {
    area.add(FindingId::Ipv6Disabled, severity, what,
             networks.empty() ? "" : "remove the IPv6 ranges of these networks");
  } else if (networks.empty()) {
    area.add(FindingId::Ipv6Disabled, severity, what, "if networks are to have IPv6: " + enable);
  } else {
    area.add(FindingId::Ipv6Disabled, severity, what, enable + "; then \"ponsctl repair\"");
  }
}

/// With several uplinks a reply may arrive on another one, and strict reverse path filtering (RFC 3704) drops it.
void checkReversePath(Area& area, const ParameterOf& parameterOf, const Links& uplinks) {
  const auto filterOf = [&](const std::string& link) {
    return parameterOf("net/ipv4/conf/" + link + "/rp_filter").value_or(0);
  };
  for (const netlib::link::Link& link : uplinks) {
    if (std::max(filterOf("all"), filterOf(link.name)) != 1) continue;
    area.warning(FindingId::ReversePathFilter,
                 "rp_filter of " + link.name + " is 1 (strict), and there are " + std::to_string(uplinks.size()) +
                     " uplinks: asymmetrically routed replies are dropped",
                 "sysctl -w " + dotted("net/ipv4/conf/" + link.name + "/rp_filter") + "=2");
  }
}

void checkBridgeFilter(Area& area, const Needs& needs, const ParameterOf& parameterOf) {
  const auto ipv4 = parameterOf("net/bridge/bridge-nf-call-iptables");
  if (!ipv4 && needs.bridgeFilter) {
    area.fault(FindingId::BrNetfilterMissing, "br_netfilter is not loaded, but egress policies need it",
               "modprobe br_netfilter; for every boot, add the line \"br_netfilter\" to "
               "/etc/modules-load.d/br_netfilter.conf");
  } else if (!ipv4) {
    area.note(FindingId::BrNetfilterMissing, "br_netfilter is not loaded; only egress policies need it");
  }
  std::vector<std::string> filtered;
  for (const char* name : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
    if (parameterOf(name).value_or(0) != 0) filtered.push_back(dotted(name) + " is 1");
  }
  if (filtered.empty()) return;
  area.note(FindingId::BridgeTrafficFiltered,
            joined(filtered) + ": traffic between containers of one bridge also passes the host's forward chains");
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

Links uplinks() {
  Links found;
  auto route = netlib::Socket::open(netlib::Socket::Subsystem::Route);
  if (!route) return found;
  const auto links = netlib::route::defaultLinks(*route);
  if (!links) return found;
  for (const unsigned index : *links) {
    if (auto link = netlib::link::find(*route, index)) found.push_back(*std::move(link));
  }
  return found;
}

void checkParameters(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf, const Links& uplinks) {
  Area area{results, "settings"};
  std::vector<std::string> fine;
  const auto run = [&](const std::string& what, auto check) {
    const std::size_t before = area.found();
    check();
    if (area.found() == before) fine.push_back(what);
  };
  run("IP forwarding", [&] { checkIpForwarding(area, needs, parameterOf); });
  run("IPv6", [&] { checkIpv6(area, needs, parameterOf); });
  checkConntrack(area, parameterOf);
  if (needs.addresses.empty()) {
    area.notChecked("size of the neighbour (ARP/NDP) table", "no container has an address");
  } else {
    run("neighbour (ARP/NDP) table", [&] { checkNeighbours(area, needs, parameterOf); });
  }
  if (uplinks.size() < 2) {
    area.notChecked("reverse path filters", "they matter only with several uplinks");
  } else {
    run("reverse path filter of " + counted(uplinks.size(), "uplink"),
        [&] { checkReversePath(area, parameterOf, uplinks); });
  }
  run("br_netfilter", [&] { checkBridgeFilter(area, needs, parameterOf); });
  if (!fine.empty()) area.fine("sysctls as needed: " + joined(fine));
}

}  // namespace pons::ctl

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

namespace {

constexpr const char* kArea = "settings";

/// The name as sysctl(8) prints it.
std::string dotted(std::string name) {
  std::ranges::replace(name, '/', '.');
  return name;
}

void checkConntrack(CheckResults& results, const ParameterOf& parameterOf) {
  const auto used = parameterOf("net/netfilter/nf_conntrack_count");
  const auto limit = parameterOf("net/netfilter/nf_conntrack_max");
  if (!used || !limit || *limit == 0) return;
  const std::uint64_t percent = *used * 100 / *limit;
  const std::string what = "conntrack: " + std::to_string(*used) + " of " + std::to_string(*limit) + " entries used (" +
                           std::to_string(percent) + " %)";
  if (percent < 80) return results.push_back({Severity::Fine, kArea, what});
  results.push_back({percent < 95 ? Severity::Warning : Severity::Fault, kArea,
                     what + ": when the table is full, new connections are dropped",
                     "increase net.netfilter.nf_conntrack_max, or open fewer connections"});
}

/// The host needs a neighbour entry for each container address.
void checkNeighbours(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf) {
  for (const auto& [family, addresses] : needs.addresses) {
    const std::string name =
        family == Family::Ipv4 ? "net/ipv4/neigh/default/gc_thresh3" : "net/ipv6/neigh/default/gc_thresh3";
    const auto limit = parameterOf(name);
    if (!limit || addresses * 10 < *limit * 8) continue;
    results.push_back({addresses < *limit ? Severity::Warning : Severity::Fault, kArea,
                       std::string{netlib::nameOf(family)} + ": containers have " + std::to_string(addresses) +
                           " addresses, but the neighbour (ARP/NDP) table is limited to " + std::to_string(*limit) +
                           " entries (gc_thresh3): containers become unreachable",
                       "sysctl -w " + dotted(name) + "=" + std::to_string(addresses * 4)});
  }
}

void checkForwarding(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const std::string name = family == Family::Ipv4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    if (parameterOf(name) != 0) continue;  // or this kernel has no IPv6
    const auto users = needs.forwarding.find(family);
    if (users == needs.forwarding.end()) {
      results.push_back({Severity::Note, kArea,
                         dotted(name) + " is 0; pons sets it to 1 with the first container that has an " +
                             std::string{netlib::nameOf(family)} + " address"});
    } else {
      results.push_back({Severity::Fault, kArea,
                         dotted(name) + " is 0: " + counted(users->second, "attachment") + " cannot reach other hosts",
                         "\"ponsctl repair\"; then find what sets it to 0, for example a file in /etc/sysctl.d"});
    }
  }
}

void checkIpv6(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf) {
  const auto disabled = parameterOf("net/ipv6/conf/all/disable_ipv6");
  if (disabled == 0) return;
  const bool needed = needs.addresses.contains(Family::Ipv6);
  results.push_back(
      {needed ? Severity::Fault : Severity::Note, kArea,
       disabled ? "net.ipv6.conf.all.disable_ipv6 is " + std::to_string(*disabled) : "this kernel has no IPv6",
       disabled ? "if networks have IPv6 ranges: sysctl -w net.ipv6.conf.all.disable_ipv6=0" : ""});
}

/// With several uplinks a reply may arrive on another one, and strict reverse path filtering (RFC 3704) drops it.
void checkReversePath(CheckResults& results, const ParameterOf& parameterOf, const std::vector<std::string>& uplinks) {
  if (uplinks.size() < 2) return;
  const auto filterOf = [&](const std::string& link) {
    return parameterOf("net/ipv4/conf/" + link + "/rp_filter").value_or(0);
  };
  for (const std::string& link : uplinks) {
    if (std::max(filterOf("all"), filterOf(link)) != 1) continue;
    results.push_back({Severity::Warning, kArea,
                       "rp_filter of " + link + " is 1 (strict), and there are " + std::to_string(uplinks.size()) +
                           " uplinks: asymmetrically routed replies are dropped",
                       "sysctl -w net.ipv4.conf." + link + ".rp_filter=2"});
  }
}

void checkBridgeFilter(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf) {
  const auto ipv4 = parameterOf("net/bridge/bridge-nf-call-iptables");
  if (!ipv4 && needs.bridgeFilter) {
    results.push_back({Severity::Fault, kArea, "br_netfilter is not loaded, but egress policies need it",
                       "modprobe br_netfilter; for every boot, add the line \"br_netfilter\" to "
                       "/etc/modules-load.d/pons.conf"});
  } else if (!ipv4) {
    results.push_back({Severity::Note, kArea, "br_netfilter is not loaded; only egress policies need it"});
  }
  std::vector<std::string> filtered;
  for (const char* name : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
    if (parameterOf(name).value_or(0) != 0) filtered.push_back(dotted(name) + " is 1");
  }
  if (filtered.empty()) return;
  results.push_back(
      {Severity::Note, kArea,
       joined(filtered) + ": traffic between containers of one bridge also passes the host's forward chains"});
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

void checkParameters(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf,
                     const std::vector<std::string>& uplinks) {
  checkForwarding(results, needs, parameterOf);
  checkIpv6(results, needs, parameterOf);
  checkConntrack(results, parameterOf);
  checkNeighbours(results, needs, parameterOf);
  checkReversePath(results, parameterOf, uplinks);
  checkBridgeFilter(results, needs, parameterOf);
}

}  // namespace pons::ctl

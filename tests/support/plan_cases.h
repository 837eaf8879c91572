// Configurations whose plans differ, for tests that do something at every step of each.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <set>
#include <sstream>

#include "tests/support/runtime.h"

namespace support {

struct PlanCase {
  std::string name;
  std::string members;      ///< of the configuration, see demoConfig()
  std::string args = {};    ///< CNI_ARGS
  std::string bridge = {};  ///< existing, not created by pons
  std::string rules = {};   ///< shell commands that run on the host before, its own firewall for one
};

/// Roots for c1 and other, with an image's /etc/resolv.conf.
inline const std::string kMakeRoots =
    "for root in /run/roots/c1 /run/roots/other; do"
    "  mkdir -p $root; mount -t tmpfs root $root; mkdir $root/etc; echo image >$root/etc/resolv.conf; done;";

inline const std::string kReadOnlyRoots = "for root in /run/roots/*; do mount -o remount,bind,ro $root; done";
inline const std::string kDnsInRoot =
    R"("dns": {"nameservers": ["10.42.0.1"]}, "runtimeConfig": {"rootfs": "/run/roots/c1"})";

inline std::vector<PlanCase> planCases() {
  const std::string ipv4 = R"("ipam": {"subnet": "10.42.0.0/24"})";
  const std::string dual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";
  const std::string ports = R"("portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                                                {"hostPort": 5353, "containerPort": 53, "protocol": "udp"},
                                                {"hostPort": 8081, "containerPort": 81, "hostIP": "192.0.2.1",
                                                 "allowFrom": ["192.0.2.0/24", "2001:db8::/32"]}])";
  const std::string limits = R"("bandwidth": {"ingressRate": 20000000, "egressRate": 10000000})";
  return {
      {"minimal", ipv4},
      {"dual stack, published ports, exclusions, rate limits",
       dual + ", " + ports + R"(, "ipMasqExclude": ["10.0.0.0/8"], "publishedOnly": true, "onDeny": "drop", )" +
           limits},
      {"foreign bridge", ipv4 + R"(, "bridge": "br-admin", "promiscMode": true, "hairpinMode": false)", {}, "br-admin"},
      {"no addresses", R"("ipam": {})"},
      {"requested address", dual, "IP=10.42.0.77,fd42::77"},
      {"host-local", R"("ipam": {"type": "host-local", "dataDir": "/run/host-local",)"
                     R"( "ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"},
      {"host that forwards nothing, ingress policy",
       dual + R"(, "ingressPolicy": "isolated")",
       {},
       {},
       "iptables-nft -P FORWARD DROP; ip6tables-nft -A FORWARD -j REJECT;"
       "nft 'add table inet fw; add chain inet fw f { type filter hook forward priority 0; policy drop; }'"},
      {"resolv.conf", ipv4 + ", " + kDnsInRoot, {}, {}, kMakeRoots},
      {"resolv.conf of a read-only root", ipv4 + ", " + kDnsInRoot, {}, {}, kMakeRoots + kReadOnlyRoots}};
}

inline PlanCase planCase(const std::string& name) {
  const std::vector<PlanCase> cases = planCases();
  const auto found = std::ranges::find(cases, name, &PlanCase::name);
  if (found == cases.end()) throw std::runtime_error("no plan case " + name);
  return *found;
}

/// The rules of a case and, where it wants one, a bridge that is down and has a port.
inline void prepareHost(const PlanCase& which) {
  if (!which.rules.empty()) outputOf({"sh", "-ec", which.rules});
  if (which.bridge.empty()) return;
  outputOf({"ip", "link", "add", which.bridge, "up", "type", "bridge"});
  // With a port from the beginning, and once up: the first of each leaves traces in the kernel that mean nothing.
  outputOf({"ip", "link", "add", "admin0", "master", which.bridge, "type", "veth", "peer", "name", "admin1"});
  outputOf({"ip", "link", "set", which.bridge, "down"});
}

/// A fake host with an uplink, namespaces for c1 and other, and what the case wants.
inline void prepare(FakeHost& host, const PlanCase& which) {
  host.addOutside();
  host.addNamespace("c1");
  host.addNamespace("other");
  prepareHost(which);
}

/// The runtime of a case; another container's needs another address where one is requested.
inline Runtime runtimeOf(const PlanCase& which) {
  Runtime runtime{demoConfig(which.members)};
  runtime.args = which.args;
  return runtime;
}
/// The same network for a second container: its own ports and root, and another address where one is requested.
inline Runtime otherRuntimeOf(const PlanCase& which) {
  std::string members = which.members;
  for (const auto& [from, to] : {std::pair<std::string, std::string>{"8080", "9090"},
                                 {"5353", "9353"},
                                 {"8081", "9081"},
                                 {"/run/roots/c1", "/run/roots/other"}}) {
    if (const auto at = members.find(from); at != std::string::npos) members.replace(at, from.size(), to);
  }
  Runtime runtime{demoConfig(members)};
  if (!which.args.empty()) runtime.args = "IP=10.42.0.78,fd42::78";
  return runtime;
}

/// The lines of two dumps that are in one of them only: empty where the dumps are equal.
inline std::string difference(const std::string& before, const std::string& after) {
  const auto linesOf = [](const std::string& text) {
    std::istringstream stream{text};
    std::multiset<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.insert(line);
    return lines;
  };
  const std::multiset<std::string> old = linesOf(before);
  const std::multiset<std::string> now = linesOf(after);
  std::vector<std::string> gone;
  std::vector<std::string> come;
  std::ranges::set_difference(old, now, std::back_inserter(gone));
  std::ranges::set_difference(now, old, std::back_inserter(come));
  std::string text;
  for (const std::string& line : gone) text += "- " + line + "\n";
  for (const std::string& line : come) text += "+ " + line + "\n";
  return text;
}

/// The addresses in host-local's files; without its lock and its last_reserved_ip, which are kept.
inline std::string dumpHostLocal() {
  const std::filesystem::path directory = "/run/host-local/demo";
  if (!std::filesystem::exists(directory)) return {};
  std::string text;
  for (const auto& entry : std::filesystem::directory_iterator{directory}) {
    const std::string name = entry.path().filename();
    if (name != "lock" && !name.starts_with("last_reserved_ip.")) text += name + "\n";
  }
  return text;
}

/// The containers' roots, and what is mounted there.
inline std::string dumpRoots() {
  return dumpTree("/run/roots") + outputOf({"sh", "-c", "grep -o ' /run/roots.*' /proc/self/mountinfo || :"});
}

/// What must be equal before and after: the host, the ledger, host-local's files, the containers' roots and the
/// interfaces of the container.
inline std::string dumpAll(const FakeHost& host) {
  return host.dump() + "== ledger\n" + dumpLedger() + "== host-local\n" + dumpHostLocal() + "== roots\n" + dumpRoots() +
         "== container\n" + interfacesOf(host, "c1");
}

}  // namespace support

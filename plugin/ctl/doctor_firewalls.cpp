// Firewalls that drop forwarded traffic, and other programs with NAT rules. Tables of iptables-legacy are not visible
// through nf_tables; only their existence is reported.
#include <algorithm>

#include <linux/netfilter.h>

#include "netlib/filter/iptables.h"
#include "netlib/nft/hook.h"

#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/firewall/forward_chains.h"

namespace pons::ctl {

namespace filter = netlib::filter;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr const char* kArea = "firewall";
using Chains = std::vector<nft::ListedChain>;

bool isOurs(const nft::ListedChain& chain) { return chain.table.name == "pons"; }

filter::RulesOf rulesIn(netlib::Socket& netfilter, const nft::Table& table) {
  return [&netfilter, &table](const std::string& chain) { return nft::listRules(netfilter, table, chain); };
}

/// Whether the chain, or one that it jumps to, accepts traffic of that bridge or has a chain for it. `seen` ends loops.
bool accepts(const std::string& chain, const std::string& bridge, const filter::RulesOf& rulesOf,
             std::set<std::string>& seen) {
  if (!seen.insert(chain).second) return false;
  const auto rules = rulesOf(chain);
  if (!rules) return false;
  for (const filter::Rule& rule : *rules) {
    const bool jumps = rule.verdict == filter::Verdict::Jump || rule.verdict == filter::Verdict::Goto;
    if (rule.iifname == bridge && (jumps || rule.verdict == filter::Verdict::Accept)) return true;
    if (jumps && rule.iifname.empty() && accepts(rule.target, bridge, rulesOf, seen)) return true;
  }
  return false;
}

/// The bridges whose traffic the host forwards.
struct Bridges {
  std::vector<const Attachment*> managed = {};  ///< one of each bridge where pons adds the accept rules
  std::set<std::string> unmanaged = {};         ///< "forward" is "off": pons adds none
};

Bridges bridgesOf(const std::vector<AttachmentStatus>& statuses) {
  Bridges bridges;
  std::set<std::string> managed;
  for (const AttachmentStatus& status : statuses) {
    if (!status.attachment || status.key.plugin != ChainedPlugin::None) continue;
    const Attachment& attachment = *status.attachment;
    const std::string bridge = attachment.bridge.name.toString();
    if (has(attachment, shared_state::forwardAccept(attachment))) {
      if (managed.insert(bridge).second) bridges.managed.push_back(&attachment);
    } else if (!attachment.internal && (has(attachment, shared_state::ipForwarding(Family::Ipv4)) ||
                                        has(attachment, shared_state::ipForwarding(Family::Ipv6)))) {
      bridges.unmanaged.insert(bridge);
    }
  }
  return bridges;
}

constexpr const char* kDrops = " drops unmatched packets";

/// Chains without the accept rules of pons for a bridge.
void checkAcceptRules(CheckResults& results, Host& host, const Bridges& bridges) {
  for (const Attachment* attachment : bridges.managed) {
    const std::string bridge = attachment->bridge.name.toString();
    const auto rules = forward::rulesOf(host.ledger, *attachment);
    const auto chains = rules ? forward::inspect(host, *rules) : netlib::fail(rules.error());
    if (!chains) {
      results.push_back({Severity::Fault, kArea, chains.error().message});
      continue;
    }
    for (const forward::ChainState& chain : *chains) {
      if (chain.wanted == 0) continue;
      const bool lacks = !chain.isRight();
      results.push_back({lacks ? Severity::Fault : Severity::Fine, kArea,
                         chain.name + kDrops +
                             (lacks ? ", including forwarded traffic of " : "; it accepts forwarded traffic of ") +
                             bridge,
                         lacks ? "ponsctl repair" : ""});
    }
  }
}

/// A chain that drops unmatched packets, which the administrator has to open for bridges with "forward": "off".
void checkForwardOff(CheckResults& results, const nft::ListedChain& chain, const filter::RulesOf& rulesOf,
                     const Bridges& bridges) {
  for (const std::string& bridge : bridges.unmanaged) {
    std::set<std::string> seen;
    if (accepts(chain.name, bridge, rulesOf, seen)) continue;
    results.push_back(
        {Severity::Warning, kArea,
         chain.toString() + kDrops + " and has no rule that accepts traffic of " + bridge + " (\"forward\": \"off\")",
         "accept traffic from and to " + bridge + " there, or set \"forward\" to \"auto\""});
  }
  if (!bridges.managed.empty() || !bridges.unmanaged.empty()) return;
  results.push_back({Severity::Note, kArea,
                     chain.toString() + kDrops +
                         ": pons adds accept rules with the first container of a bridge "
                         "(\"forward\": \"auto\")"});
}

void checkBaseChain(CheckResults& results, netlib::Socket& netfilter, const nft::ListedChain& chain,
                    const Bridges& bridges) {
  const bool isInput = chain.type == "filter" && chain.hook == std::uint32_t{NF_INET_LOCAL_IN};
  if (!isInput && !chain.atForwardHook()) return;
  const auto rulesOf = rulesIn(netfilter, chain.table);
  const auto drops = filter::drops(chain.name, chain.policyDrops, rulesOf);
  if (!drops.ok())
    return results.push_back({Severity::Warning, kArea, chain.toString() + ": " + drops.error().message});
  if (!*drops) return;
  if (isInput) {
    return results.push_back({Severity::Note, kArea,
                              chain.toString() + kDrops + ": containers reach only the host services that it accepts"});
  }
  checkForwardOff(results, chain, rulesOf, bridges);
}

/// Other programs, by the names of their chains and tables.
std::set<std::string> programsIn(const Chains& chains) {
  std::set<std::string> names;
  for (const nft::ListedChain& chain : chains) {
    if (chain.name.starts_with("DOCKER") || chain.table.name.starts_with("docker")) names.insert("Docker");
    if (chain.name.starts_with("KUBE-") || chain.table.name == "kube-proxy") names.insert("kube-proxy");
    if (chain.name.starts_with("CNI-") || chain.table.name.starts_with("cni_"))
      names.insert("the CNI reference plugins");
    if (chain.table.name == "netavark" || chain.name.starts_with("NETAVARK")) names.insert("podman (netavark)");
    if (chain.table.name == "firewalld") names.insert("firewalld");
    if (chain.name.starts_with("ufw")) names.insert("ufw");
  }
  return names;
}

void checkOtherPrograms(CheckResults& results, const Chains& chains) {
  const std::set<std::string> names = programsIn(chains);
  if (!names.empty()) {
    results.push_back(
        {Severity::Note, kArea, "other programs have nf_tables rules: " + joined({names.begin(), names.end()})});
  }
  std::vector<std::string> translators;
  for (const nft::ListedChain& chain : chains) {
    const bool translates = chain.type == "nat" && chain.hook == std::uint32_t{NF_INET_PRE_ROUTING};
    if (translates && !isOurs(chain)) translators.push_back(chain.toString());
  }
  if (translators.empty()) return;
  results.push_back({Severity::Note, kArea,
                     "other programs publish ports: " + joined(translators) +
                         "; if several publish the same host port, only one of them receives its connections"});
}

void checkLegacy(CheckResults& results) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const auto used = netlib::iptables::hasFilterTable(family);
    if (!used.ok() || !*used) continue;
    results.push_back({Severity::Note, kArea,
                       "iptables-legacy has a filter table for " + std::string{netlib::nameOf(family)} +
                           ", which is not visible through nf_tables",
                       "\"ponsctl check\" runs iptables-legacy and reports missing accept rules"});
  }
}

}  // namespace

void checkFirewalls(CheckResults& results, Host* host, const std::vector<AttachmentStatus>& statuses) {
  const std::size_t before = results.size();
  const Bridges bridges = bridgesOf(statuses);
  if (host != nullptr) checkAcceptRules(results, *host, bridges);
  auto netfilter = netlib::Socket::open(netlib::Socket::Subsystem::Netfilter);
  if (!netfilter) return;  // reported by checkKernel()
  const auto chains = nft::listAllChains(*netfilter);
  if (!chains) return results.push_back({Severity::Warning, kArea, chains.error().message});
  for (const nft::ListedChain& chain : *chains) {
    if (!isOurs(chain)) checkBaseChain(results, *netfilter, chain, bridges);
  }
  checkOtherPrograms(results, *chains);
  checkLegacy(results);
  if (results.size() == before) results.push_back({Severity::Fine, kArea, "no forward chain drops unmatched packets"});
}

}  // namespace pons::ctl

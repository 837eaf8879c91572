// Firewalls of other programs.
#include <linux/netfilter.h>

#include "netlib/nft/hook.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"

namespace pons::ctl {

namespace filter = netlib::filter;
namespace nft = netlib::nft;

namespace {

using Chains = std::vector<nft::ListedChain>;

bool isOurs(const nft::ListedChain& chain) { return chain.table.name == "pons"; }

void checkInput(Area& area, nft::ChainReader& reader, const nft::ListedChain& chain) {
  const auto drops = filter::drops(chain.name, chain.policyDrops,
                                   [&](const std::string& name) { return reader.rulesFor(chain.table, name, {}); });
  if (!drops.ok()) return area.notChecked(chain.toString(), drops.error().message);
  if (!*drops) return;
  area.note(FindingId::InputDrop,
            chain.toString() + " drops unmatched packets: containers reach only the host services that it accepts");
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

void checkOtherPrograms(Area& area, const Chains& chains) {
  const std::set<std::string> names = programsIn(chains);
  if (!names.empty()) {
    area.note(FindingId::OtherFirewall, "other programs have nf_tables rules: " + joined({names.begin(), names.end()}));
  }
  std::vector<std::string> translators;
  for (const nft::ListedChain& chain : chains) {
    const bool translates = chain.type == "nat" && chain.hook == std::uint32_t{NF_INET_PRE_ROUTING};
    if (translates && !isOurs(chain)) translators.push_back(chain.toString());
  }
  if (translators.empty()) return;
  area.note(FindingId::OtherPublisher,
            "other programs publish ports: " + joined(translators) +
                "; if several publish the same host port, only one of them receives its connections");
}

}  // namespace

void checkFirewalls(CheckResults& results, Host* host, const Statuses& statuses, const Links& uplinks) {
  Area area{results, "firewall"};
  if (!netlib::KernelModules{}.asksWithoutLoading("nf_tables")) {
    area.notChecked("chains of nf_tables", "its module is not loaded, so there should be none");
    return checkForwarding(area, host, nullptr, {}, statuses, uplinks);
  }
  auto netfilter = netlib::Socket::open(netlib::Socket::Subsystem::Netfilter);
  const auto chains = netfilter ? nft::listAllChains(*netfilter) : netlib::fail(netfilter.error());
  if (!chains) return area.notChecked("forward chains", chains.error().message);
  nft::ChainReader reader{*netfilter};
  for (const nft::ListedChain& chain : *chains) {
    const bool isInput = chain.type == "filter" && chain.hook == std::uint32_t{NF_INET_LOCAL_IN};
    if (isInput && !isOurs(chain)) checkInput(area, reader, chain);
  }
  checkForwarding(area, host, &reader, *chains, statuses, uplinks);
  checkOtherPrograms(area, *chains);
}

}  // namespace pons::ctl

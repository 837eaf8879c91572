// Firewalls that drop what containers send, and who else translates addresses. What iptables-legacy has only that
// program can read.
#include <algorithm>

#include <linux/netfilter.h>

#include "netlib/filter/iptables.h"
#include "netlib/nft/hook.h"

#include "plugin/ctl/common.h"
#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/words.h"
#include "plugin/firewall/forward_chains.h"

namespace pons::tools {

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

/// True where a rule of the chain, or of one that it jumps to, lets through what comes from that bridge, or sends it to
/// a chain of its own. A chain that is gone by now has no rules.
bool speaksFor(const std::string& chain, const std::string& bridge, const filter::RulesOf& rulesOf,
               std::set<std::string>& seen) {
  if (!seen.insert(chain).second) return false;
  const auto rules = rulesOf(chain);
  if (!rules) return false;
  for (const filter::Rule& rule : *rules) {
    const bool jumps = rule.verdict == filter::Verdict::Jump || rule.verdict == filter::Verdict::Goto;
    if (rule.incoming == bridge && (jumps || rule.verdict == filter::Verdict::Accept)) return true;
    if (jumps && rule.incoming.empty() && speaksFor(rule.target, bridge, rulesOf, seen)) return true;
  }
  return false;
}

/// The bridges from which the host forwards.
struct Bridges {
  std::vector<forward::BridgeRules> answered = {};  ///< the rules are pons'
  std::set<std::string> leftAlone = {};        ///< "forward" is "off"
};

Bridges bridgesOf(const std::vector<Item>& stock) {
  Bridges bridges;
  std::set<std::string> answered;
  for (const Item& item : stock) {
    if (!item.attachment || item.key.plugin != ChainedPlugin::None) continue;
    const Attachment& attachment = *item.attachment;
    const std::string bridge = attachment.bridge.name.toString();
    if (has(attachment, shared_state::forwardAccept(attachment))) {
      if (answered.insert(bridge).second) bridges.answered.push_back({attachment.bridge.name, attachment.adminChain});
    } else if (!attachment.internal &&
               (has(attachment, shared_state::ipForwarding(Family::Ipv4)) || has(attachment, shared_state::ipForwarding(Family::Ipv6)))) {
      bridges.leftAlone.insert(bridge);
    }
  }
  return bridges;
}

constexpr const char* kDrops = " drops what it does not know";

/// The chains that lack rules of pons for a bridge.
void lookAtAnswers(Diagnoses& diagnoses, Host& host, const Bridges& bridges) {
  for (const forward::BridgeRules& answer : bridges.answered) {
    const std::string bridge = answer.bridge.toString();
    const auto places = forward::inspect(host, answer);
    if (!places) {
      diagnoses.push_back({Verdict::Fault, kArea, places.error().message});
      continue;
    }
    for (const forward::ChainState& place : *places) {
      if (place.wanted == 0) continue;
      const bool lacks = place.present < place.wanted;
      diagnoses.push_back(
          {lacks ? Verdict::Fault : Verdict::Fine, kArea,
           place.name + kDrops + (lacks ? ", and so what " : "; it accepts what ") + bridge + " forwards",
           lacks ? "pons repair" : ""});
    }
  }
}

/// A chain that drops, and bridges for which its owner has to speak.
void lookAtOwner(Diagnoses& diagnoses, const nft::ListedChain& chain, const filter::RulesOf& rulesOf,
                 const Bridges& bridges) {
  for (const std::string& bridge : bridges.leftAlone) {
    std::set<std::string> seen;
    if (speaksFor(chain.name, bridge, rulesOf, seen)) continue;
    diagnoses.push_back(
        {Verdict::Warning, kArea,
         chain.toString() + kDrops + " and has no rule for " + bridge + ", where \"forward\" is \"off\"",
         "accept there what comes from and goes to " + bridge + ", or set \"forward\" to \"auto\""});
  }
  if (!bridges.answered.empty() || !bridges.leftAlone.empty()) return;
  diagnoses.push_back({Verdict::Note, kArea,
                       chain.toString() + kDrops +
                           ": the first container of a bridge gets it accepted there "
                           "(\"forward\": \"auto\")"});
}

void lookAtBaseChain(Diagnoses& diagnoses, netlib::Socket& netfilter, const nft::ListedChain& chain,
                     const Bridges& bridges) {
  const bool isInput = chain.type == "filter" && chain.hook == std::uint32_t{NF_INET_LOCAL_IN};
  if (!isInput && !chain.atForwardHook()) return;
  const auto rulesOf = rulesIn(netfilter, chain.table);
  const auto drops = filter::drops(chain.name, chain.policyDrops, rulesOf);
  if (!drops) return diagnoses.push_back({Verdict::Warning, kArea, chain.toString() + ": " + drops.error().message});
  if (!*drops) return;
  if (isInput) {
    return diagnoses.push_back(
        {Verdict::Note, kArea,
         chain.toString() + kDrops + ": containers reach only those services of the host that it accepts"});
  }
  lookAtOwner(diagnoses, chain, rulesOf, bridges);
}

/// Who else works here, by the names of their chains.
std::set<std::string> neighboursIn(const Chains& chains) {
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

void lookAtNeighbours(Diagnoses& diagnoses, const Chains& chains) {
  const std::set<std::string> names = neighboursIn(chains);
  if (!names.empty()) {
    diagnoses.push_back(
        {Verdict::Note, kArea, "rules of others are here, too: " + joined({names.begin(), names.end()})});
  }
  std::vector<std::string> translators;
  for (const nft::ListedChain& chain : chains) {
    const bool translates = chain.type == "nat" && chain.hook == std::uint32_t{NF_INET_PRE_ROUTING};
    if (translates && !isOurs(chain)) translators.push_back(chain.toString());
  }
  if (translators.empty()) return;
  diagnoses.push_back({Verdict::Note, kArea,
                       "others publish ports, too: " + joined(translators) +
                           "; of a host port that several publish one alone gets the connections"});
}

void lookAtLegacy(Diagnoses& diagnoses) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const auto used = netlib::iptables::hasFilterTable(family);
    if (!used || !*used) continue;
    diagnoses.push_back({Verdict::Note, kArea,
                         "iptables-legacy has a filter table for " + std::string{netlib::nameOf(family)} +
                             ", which that program alone can read",
                         "pons check asks it whether what containers send is dropped there"});
  }
}

}  // namespace

void lookAtFirewalls(Diagnoses& diagnoses, Host* host, const std::vector<Item>& stock) {
  const std::size_t before = diagnoses.size();
  const Bridges bridges = bridgesOf(stock);
  if (host != nullptr) lookAtAnswers(diagnoses, *host, bridges);
  auto netfilter = netlib::Socket::open(netlib::Socket::Subsystem::Netfilter);
  if (!netfilter) return;  // lookAtKernel tells
  const auto chains = nft::listAllChains(*netfilter);
  if (!chains) return diagnoses.push_back({Verdict::Warning, kArea, chains.error().message});
  for (const nft::ListedChain& chain : *chains) {
    if (!isOurs(chain)) lookAtBaseChain(diagnoses, *netfilter, chain, bridges);
  }
  lookAtNeighbours(diagnoses, *chains);
  lookAtLegacy(diagnoses);
  if (diagnoses.size() == before) diagnoses.push_back({Verdict::Fine, kArea, "nothing drops what is forwarded"});
}

}  // namespace pons::tools

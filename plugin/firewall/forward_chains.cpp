#include "plugin/firewall/forward_chains.h"

#include <algorithm>
#include <ranges>

#include "netlib/filter/iptables.h"
#include "netlib/nft/hook.h"

namespace pons::forward {

namespace filter = netlib::filter;
namespace iptables = netlib::iptables;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr const char* kForward = "FORWARD";
constexpr const char* kAccept = "ACCEPT";  // of iptables

/// Of one chain: its rules with the bridge's comment, whether it needs accept rules, and the administrator's chains
/// that its table has.
struct Marked {
  std::size_t accepts = 0;
  std::set<std::string> jumps = {};
};
ChainState stateOf(std::string name, const Marked& marked, bool drops, const std::set<std::string>& adminChains) {
  ChainState state{.name = std::move(name),
                   .present = drops ? marked.accepts : 0,
                   .wanted = (drops ? kAccepts : 0) + adminChains.size(),
                   .stale = 0};
  for (const std::string& jump : marked.jumps) ++(adminChains.contains(jump) ? state.present : state.stale);
  return state;
}

std::string insteadOf(const BridgeRules& wanted) {
  return ": let its owner accept what comes from and goes to " + wanted.bridge.toString() +
         ", and set \"forward\" to \"off\"";
}

// nf_tables

struct NftChain {
  nft::ListedChain chain;
  std::vector<filter::Rule> rules;
  bool drops = false;
  std::set<std::string> adminChains = {};

  std::vector<filter::Rule> marked(const std::string& mark) const {
    std::vector<filter::Rule> found;
    std::ranges::copy_if(rules, std::back_inserter(found), [&](const auto& rule) { return rule.comment == mark; });
    return found;
  }
  ChainState state(const BridgeRules& wanted) const {
    Marked present;
    for (const filter::Rule& rule : marked(commentOf(wanted.bridge))) {
      if (rule.target.empty()) {
        ++present.accepts;
      } else {
        present.jumps.insert(rule.target);
      }
    }
    return stateOf(chain.toString(), present, drops, adminChains);
  }
};

bool isIn(const std::vector<nft::ListedChain>& chains, const nft::Table& table, const std::string& name) {
  return std::ranges::any_of(chains, [&](const nft::ListedChain& chain) {
    return chain.name == name && chain.table.family == table.family && chain.table.name == table.name;
  });
}

netlib::Result<std::vector<NftChain>> nftChains(Host& host, const BridgeRules& wanted) {
  std::vector<NftChain> places;
  const auto chains = TRY(nft::listAllChains(host.netfilter));
  for (const nft::ListedChain& chain : chains) {
    if (!chain.atForwardHook()) continue;
    auto rules = TRY(nft::listRules(host.netfilter, chain.table, chain.name));
    NftChain place{.chain = chain, .rules = std::move(rules)};
    const auto rulesOf = [&](const std::string& name) -> netlib::Result<std::vector<filter::Rule>> {
      if (name == chain.name) return place.rules;
      return nft::listRules(host.netfilter, chain.table, name);
    };
    place.drops = TRY(filter::drops(chain.name, chain.policyDrops, rulesOf));
    for (const std::string& name : wanted.adminChains) {
      if (isIn(chains, chain.table, name)) place.adminChains.insert(name);
    }
    places.push_back(std::move(place));
  }
  return places;
}

/// In the order in which packets are to meet them.
std::vector<nft::Rule> nftRules(const NftChain& place, const BridgeRules& wanted, nft::Dialect dialect) {
  const std::string& bridge = wanted.bridge.toString();
  std::vector<nft::Rule> rules;
  const auto append = [&](nft::Rule& rule) { rules.push_back(std::move(rule.comment(commentOf(wanted.bridge)))); };
  for (const std::string& chain : place.adminChains) append(nft::Rule{}.jump(chain));
  if (!place.drops) return rules;
  append(nft::Rule{}.iifname(bridge).accept());
  append(nft::Rule{}.oifname(bridge).ctState(nft::kEstablished | nft::kRelated, dialect).accept());
  append(nft::Rule{}.oifname(bridge).ctStatus(nft::kDnat, dialect).accept());
  return rules;
}

netlib::Result<> replace(Host& host, const NftChain& place, const BridgeRules& wanted, nft::Dialect dialect) {
  const nft::ListedChain& chain = place.chain;
  nft::Transaction transaction;
  for (const auto& rule : place.marked(commentOf(wanted.bridge)))
    transaction.deleteRule(chain.table, chain.name, rule.handle);
  const auto rules = nftRules(place, wanted, dialect);
  for (const nft::Rule& rule : rules | std::views::reverse) transaction.insertRule(chain.table, chain.name, rule);
  return transaction.commit(host.netfilter);
}

bool isOfIptables(const nft::ListedChain& chain) {
  return chain.name == kForward && chain.table.name == "filter" && chain.table.family != nft::TableFamily::Inet;
}

netlib::Result<> insertNft(Host& host, const NftChain& place, const BridgeRules& wanted) {
  auto inserted = replace(host, place, wanted, isOfIptables(place.chain) ? nft::Dialect::Iptables : nft::Dialect::Nft);
  // A kernel without nft_compat has no iptables-nft either: then nft has created the chain of that name.
  const bool withoutCompat = inserted.failedWith(ENOENT) || inserted.failedWith(EOPNOTSUPP);
  if (withoutCompat && isOfIptables(place.chain)) inserted = replace(host, place, wanted, nft::Dialect::Nft);
  if (!inserted.failedWith(EPERM)) return inserted;
  return netlib::fail(inserted.error().reworded(
      place.chain.toString() +
      " drops what containers send, and its table may be changed by the process alone that owns it" +
      insteadOf(wanted)));
}

// iptables-legacy

struct LegacyChain {
  iptables::Iptables program;
  Family family;
  std::vector<std::string> deletions = {};  ///< of the rules with the bridge's comment
  Marked marked = {};
  bool drops = false;
  std::set<std::string> adminChains = {};

  ChainState state() const {
    return stateOf("iptables-legacy " + std::string{nameOf(family)} + " chain FORWARD", marked, drops, adminChains);
  }
};

netlib::Result<LegacyChain> legacyChain(Family family, const BridgeRules& wanted) {
  auto program = TRY(iptables::Iptables::open(family, iptables::Backend::Legacy));
  auto table = TRY(program.readFilterTable());
  const auto rulesOf = [&table](const std::string& chain) -> netlib::Result<std::vector<filter::Rule>> {
    return table.rulesOf(chain);
  };
  LegacyChain place{.program = std::move(program), .family = family};
  place.drops = TRY(filter::drops(kForward, table.forwardPolicyDrops, rulesOf));
  for (const std::string& name : wanted.adminChains) {
    if (table.chains.contains(name)) place.adminChains.insert(name);
  }
  for (const iptables::Rule& rule : table.chains[kForward]) {
    if (rule.option("--comment") != commentOf(wanted.bridge)) continue;
    place.deletions.push_back(rule.deletion());
    const std::string target{rule.option("-j")};
    if (target == kAccept) {
      ++place.marked.accepts;
    } else {
      place.marked.jumps.insert(target);
    }
  }
  return place;
}

netlib::Result<std::vector<LegacyChain>> legacyChains(const Host& host, const BridgeRules& wanted) {
  std::vector<LegacyChain> places;
  if (!host.runsPrograms) return places;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (!TRY(iptables::hasFilterTable(family))) continue;
    auto place = legacyChain(family, wanted);
    if (place.failedWith(netlib::Cause::Missing)) {
      return netlib::fail(netlib::Cause::Missing,
                          "the filter table of iptables-legacy is in use, and " + place.error().message +
                              " to inspect whether it drops what containers send: install Debian's package "
                              "iptables" +
                              insteadOf(wanted));
    }
    places.push_back(TRY(std::move(place)));
  }
  return places;
}

/// Names that iptables would read as something else: a '+' at the end is a wildcard.
bool canBeNamed(const std::string& bridge) {
  return bridge.find_first_of("\"\\'!") == std::string::npos && !bridge.ends_with('+');
}

netlib::Result<> insertLegacy(const LegacyChain& place, const BridgeRules& wanted) {
  const std::string& bridge = wanted.bridge.toString();
  if (!canBeNamed(bridge))
    return netlib::fail(netlib::Cause::Invalid, "iptables has no way to name the bridge " + bridge);
  std::vector<std::string> commands = place.deletions;
  std::size_t position = 0;
  const auto insert = [&](const std::string& matches, const std::string& target) {
    commands.push_back("-I FORWARD " + std::to_string(++position) + matches + " -m comment --comment \"" +
                       commentOf(wanted.bridge) + "\" -j " + target);
  };
  for (const std::string& chain : place.adminChains) insert("", chain);
  if (place.drops) {
    insert(" -i " + bridge, kAccept);
    insert(" -o " + bridge + " -m conntrack --ctstate RELATED,ESTABLISHED", kAccept);
    insert(" -o " + bridge + " -m conntrack --ctstate DNAT", kAccept);
  }
  return place.program.change("filter", commands);
}

netlib::Result<> removeNft(Host& host, const BridgeRules& wanted) {
  nft::Transaction transaction;
  bool any = false;
  for (const nft::ListedChain& chain : TRY(nft::listAllChains(host.netfilter))) {
    if (!chain.atForwardHook()) continue;
    for (const filter::Rule& rule : TRY(nft::listRules(host.netfilter, chain.table, chain.name))) {
      if (rule.comment != commentOf(wanted.bridge)) continue;
      transaction.deleteRule(chain.table, chain.name, rule.handle);
      any = true;
    }
  }
  return any ? transaction.commit(host.netfilter) : netlib::Result<>{};
}

netlib::Result<> removeLegacy(const BridgeRules& wanted) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (!TRY(iptables::hasFilterTable(family))) continue;
    const auto place = legacyChain(family, wanted);
    // Without the program there could be no rule of ours.
    if (place.failedWith(netlib::Cause::Missing)) continue;
    if (!place) return netlib::fail(place.error());
    TRY(place->program.change("filter", place->deletions));
  }
  return {};
}

}  // namespace

std::string commentOf(const netlib::IfName& bridge) { return "pons forward " + bridge.toString(); }

netlib::Result<std::vector<ChainState>> inspect(Host& host, const BridgeRules& wanted) {
  std::vector<ChainState> places;
  for (const NftChain& place : TRY(nftChains(host, wanted))) places.push_back(place.state(wanted));
  for (const LegacyChain& place : TRY(legacyChains(host, wanted))) places.push_back(place.state());
  return places;
}

netlib::Result<BridgeRules> rulesOf(Ledger& ledger, const Attachment& attachment) {
  BridgeRules rules{attachment.bridge.name, {}};
  for (const std::string& value : TRY(ledger.valuesOf(shared_state::stem(shared_state::forwardAccept(attachment))))) {
    if (const auto chain = shared_state::adminChainIn(value)) rules.adminChains.insert(*chain);
  }
  return rules;
}

netlib::Result<> converge(Host& host, const BridgeRules& wanted) {
  for (const NftChain& place : TRY(nftChains(host, wanted))) {
    if (!place.state(wanted).isRight()) TRY(insertNft(host, place, wanted));
  }
  for (const LegacyChain& place : TRY(legacyChains(host, wanted))) {
    if (!place.state().isRight()) TRY(insertLegacy(place, wanted));
  }
  return {};
}

netlib::Result<> remove(Host& host, const BridgeRules& wanted) {
  TRY(removeNft(host, wanted));
  return removeLegacy(wanted);
}

}  // namespace pons::forward

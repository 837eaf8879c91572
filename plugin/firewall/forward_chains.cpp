#include "plugin/firewall/forward_chains.h"

#include <algorithm>
#include <ranges>

#include "netlib/filter/iptables.h"
#include "netlib/filter/x_tables.h"
#include "netlib/nft/hook.h"

namespace pons::forward {

namespace filter = netlib::filter;
namespace iptables = netlib::iptables;
namespace nft = netlib::nft;
namespace x_tables = netlib::x_tables;
using netlib::Family;

namespace {

constexpr const char* kForward = "FORWARD";
constexpr const char* kAccept = "ACCEPT";  // of iptables

/// A base chain of the hook, its rules, and those of the administrator's chains that its table has.
struct BaseChain {
  std::string name;
  std::vector<filter::Rule> rules;
  bool drops = false;
  std::set<std::string> adminChains = {};

  std::vector<filter::Rule> markedFor(const netlib::IfName& bridge) const {
    std::vector<filter::Rule> marked;
    std::ranges::copy_if(rules, std::back_inserter(marked),
                         [&](const auto& rule) { return rule.comment == commentOf(bridge); });
    return marked;
  }

  ChainState state(const BridgeRules& wanted) const {
    std::size_t accepts = 0;
    std::set<std::string> jumps;
    for (const filter::Rule& rule : markedFor(wanted.bridge)) {
      if (rule.target.empty()) {
        ++accepts;
      } else {
        jumps.insert(rule.target);
      }
    }
    ChainState state{.name = name,
                     .present = drops ? accepts : 0,
                     .wanted = (drops ? kAccepts : 0) + adminChains.size(),
                     .stale = 0};
    for (const std::string& jump : jumps) ++(adminChains.contains(jump) ? state.present : state.stale);
    return state;
  }
};

std::string insteadOf(const BridgeRules& wanted) {
  return ": let its owner accept what comes from and goes to " + wanted.bridge.toString() +
         ", and set \"forward\" to \"off\"";
}

// nf_tables

struct NftChain {
  nft::ListedChain listed;
  BaseChain base;
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
    BaseChain base{.name = chain.toString(), .rules = std::move(rules)};
    const auto rulesOf = [&](const std::string& name) -> netlib::Result<std::vector<filter::Rule>> {
      if (name == chain.name) return base.rules;
      return nft::listRules(host.netfilter, chain.table, name);
    };
    base.drops = TRY(filter::drops(chain.name, chain.policyDrops, rulesOf));
    for (const std::string& name : wanted.adminChains) {
      if (isIn(chains, chain.table, name)) base.adminChains.insert(name);
    }
    places.push_back({chain, std::move(base)});
  }
  return places;
}

/// In the order in which packets are to meet them.
std::vector<nft::Rule> nftRules(const BaseChain& base, const BridgeRules& wanted, nft::Dialect dialect) {
  const std::string& bridge = wanted.bridge.toString();
  std::vector<nft::Rule> rules;
  const auto append = [&](nft::Rule& rule) { rules.push_back(std::move(rule.comment(commentOf(wanted.bridge)))); };
  for (const std::string& chain : base.adminChains) append(nft::Rule{}.jump(chain));
  if (!base.drops) return rules;
  append(nft::Rule{}.iifname(bridge).accept());
  append(nft::Rule{}.oifname(bridge).ctState(nft::kEstablished | nft::kRelated, dialect).accept());
  append(nft::Rule{}.oifname(bridge).ctStatus(nft::kDnat, dialect).accept());
  return rules;
}

netlib::Result<> replace(Host& host, const NftChain& place, const BridgeRules& wanted, nft::Dialect dialect) {
  const nft::ListedChain& chain = place.listed;
  nft::Transaction transaction;
  for (const auto& rule : place.base.markedFor(wanted.bridge))
    transaction.deleteRule(chain.table, chain.name, rule.handle);
  const auto rules = nftRules(place.base, wanted, dialect);
  for (const nft::Rule& rule : rules | std::views::reverse) transaction.insertRule(chain.table, chain.name, rule);
  return transaction.commit(host.netfilter);
}

bool isOfIptables(const nft::ListedChain& chain) {
  return chain.name == kForward && chain.table.name == "filter" && chain.table.family != nft::TableFamily::Inet;
}

netlib::Result<> insertNft(Host& host, const NftChain& place, const BridgeRules& wanted) {
  auto inserted = replace(host, place, wanted, isOfIptables(place.listed) ? nft::Dialect::Iptables : nft::Dialect::Nft);
  // A kernel without nft_compat has no iptables-nft either: then nft has created the chain of that name.
  const bool withoutCompat = inserted.failedWith(ENOENT) || inserted.failedWith(EOPNOTSUPP);
  if (withoutCompat && isOfIptables(place.listed)) inserted = replace(host, place, wanted, nft::Dialect::Nft);
  if (!inserted.failedWith(EPERM)) return inserted;
  return netlib::fail(inserted.error().reworded(
      place.base.name + " drops what containers send, and its table may be changed by the process alone that owns it" +
      insteadOf(wanted)));
}

// iptables-legacy

struct LegacyChain {
  Family family;
  BaseChain base;
};

netlib::Result<std::vector<LegacyChain>> legacyChains(const BridgeRules& wanted) {
  std::vector<LegacyChain> places;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const auto table = TRY(x_tables::FilterTable::readIfPresent(family));
    if (!table) continue;
    const auto rulesOf = [&table](const std::string& chain) -> netlib::Result<std::vector<filter::Rule>> {
      return table->rulesFor(chain, {});
    };
    BaseChain base{.name = "iptables-legacy " + std::string{nameOf(family)} + " chain FORWARD",
                   .rules = table->rulesFor(kForward, {})};
    base.drops = TRY(filter::drops(kForward, table->forwardPolicyDrops(), rulesOf));
    std::ranges::copy_if(wanted.adminChains, std::inserter(base.adminChains, base.adminChains.end()),
                         [&](const std::string& chain) { return table->hasChain(chain); });
    places.push_back({family, std::move(base)});
  }
  return places;
}

netlib::Result<iptables::Iptables> openProgram(const LegacyChain& place, const BridgeRules& wanted) {
  auto program = iptables::Iptables::open(place.family, iptables::Backend::Legacy);
  if (!program.failedWith(netlib::Cause::Missing)) return program;
  return netlib::fail(netlib::Cause::Missing,
                      place.base.name + " drops what containers send, and " + program.error().message +
                          " to change it: install Debian's package iptables" + insteadOf(wanted));
}

/// The commands that delete the bridge's rules: by their text, as their numbers may change at any time.
netlib::Result<std::vector<std::string>> deletions(const iptables::Iptables& program, const LegacyChain& place,
                                                   const BridgeRules& wanted) {
  std::vector<std::string> commands;
  if (place.base.markedFor(wanted.bridge).empty()) return commands;
  const auto rules = TRY(program.rulesOf("filter", kForward));
  for (const iptables::Rule& rule : rules.value_or(std::vector<iptables::Rule>{})) {
    if (rule.option("--comment") == commentOf(wanted.bridge)) commands.push_back(rule.deletion());
  }
  return commands;
}

/// Names that iptables would read as something else: a '+' at the end is a wildcard.
bool canBeNamed(const std::string& bridge) {
  return bridge.find_first_of("\"\\'!") == std::string::npos && !bridge.ends_with('+');
}

netlib::Result<> insertLegacy(const LegacyChain& place, const BridgeRules& wanted) {
  const std::string& bridge = wanted.bridge.toString();
  if (!canBeNamed(bridge))
    return netlib::fail(netlib::Cause::Invalid, "iptables has no way to name the bridge " + bridge);
  const auto program = TRY(openProgram(place, wanted));
  std::vector<std::string> commands = TRY(deletions(program, place, wanted));
  std::size_t position = 0;
  const auto insert = [&](const std::string& matches, const std::string& target) {
    commands.push_back("-I FORWARD " + std::to_string(++position) + matches + " -m comment --comment \"" +
                       commentOf(wanted.bridge) + "\" -j " + target);
  };
  for (const std::string& chain : place.base.adminChains) insert("", chain);
  if (place.base.drops) {
    insert(" -i " + bridge, kAccept);
    insert(" -o " + bridge + " -m conntrack --ctstate RELATED,ESTABLISHED", kAccept);
    insert(" -o " + bridge + " -m conntrack --ctstate DNAT", kAccept);
  }
  return program.change("filter", commands);
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
  for (const LegacyChain& place : TRY(legacyChains(wanted))) {
    if (place.base.markedFor(wanted.bridge).empty()) continue;
    const auto program = TRY(openProgram(place, wanted));
    const auto commands = TRY(deletions(program, place, wanted));
    TRY(program.change("filter", commands));
  }
  return {};
}

}  // namespace

std::string commentOf(const netlib::IfName& bridge) { return "pons forward " + bridge.toString(); }

netlib::Result<std::vector<ChainState>> inspect(Host& host, const BridgeRules& wanted) {
  std::vector<ChainState> places;
  for (const NftChain& place : TRY(nftChains(host, wanted))) places.push_back(place.base.state(wanted));
  for (const LegacyChain& place : TRY(legacyChains(wanted))) places.push_back(place.base.state(wanted));
  return places;
}

netlib::Result<BridgeRules> rulesOf(Ledger& ledger, const Attachment& attachment, const netlib::IfName& link) {
  BridgeRules rules{link, {}};
  const std::string state = shared_state::stem(shared_state::forwardAccept(attachment, link));
  for (const std::string& value : TRY(ledger.valuesOf(state))) {
    if (const auto chain = shared_state::adminChainIn(value)) rules.adminChains.insert(*chain);
  }
  return rules;
}

netlib::Result<> converge(Host& host, const BridgeRules& wanted) {
  for (const NftChain& place : TRY(nftChains(host, wanted))) {
    if (!place.base.state(wanted).isRight()) TRY(insertNft(host, place, wanted));
  }
  for (const LegacyChain& place : TRY(legacyChains(wanted))) {
    if (!place.base.state(wanted).isRight()) TRY(insertLegacy(place, wanted));
  }
  return {};
}

netlib::Result<> remove(Host& host, const BridgeRules& wanted) {
  TRY(removeNft(host, wanted));
  return removeLegacy(wanted);
}

}  // namespace pons::forward

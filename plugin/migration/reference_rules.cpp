#include "plugin/migration/reference_rules.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <sha2.h>

#include "netlib/base/error_list.h"
#include "netlib/filter/iptables.h"
#include "netlib/nft/transaction.h"

namespace pons {

namespace {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::iptables::Backend;
using netlib::iptables::Iptables;
using netlib::iptables::Rule;
using Addresses = std::vector<IpAddress>;

// Names of the reference plugins, and the lengths that they are cut to.
constexpr const char* kNat = "nat";
constexpr const char* kPostrouting = "POSTROUTING";
constexpr const char* kHostPorts = "CNI-HOSTPORT-DNAT";
constexpr const char* kFilter = "filter";
constexpr const char* kForward = "CNI-FORWARD";
constexpr std::size_t kChainLength = 28;
constexpr std::size_t kIfbLength = 15;

/// The existing ones of the chains in question, with their rules.
using Chains = std::map<std::string, std::vector<Rule>>;

/// The rules of one family and backend.
struct Ruleset {
  const Iptables& iptables;
  const ReferenceNames& names;
  const Chains& chains;
  Addresses& addresses;  ///< as requested; if empty, those found in the rules

  std::vector<Rule> rulesOf(const std::string& chain) const {
    const auto found = chains.find(chain);
    return found == chains.end() ? std::vector<Rule>{} : found->second;
  }
  bool has(const std::string& chain) const { return chains.contains(chain); }
};

bool contains(const Addresses& addresses, const std::optional<IpAddress>& address) {
  return address && std::ranges::find(addresses, *address) != addresses.end();
}

/// Of -s or -d: nothing for a subnet.
std::optional<IpAddress> singleAddress(std::string_view text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix) return IpAddress::parse(text);
  return *prefix == IpPrefix::host(prefix->address()) ? std::optional{prefix->address()} : std::nullopt;
}

/// Of --to-destination: "10.1.0.2:80" or "[fd00::2]:80".
std::optional<IpAddress> targetOf(const Rule& rule) {
  std::string_view text = rule.option("--to-destination");
  text = text.substr(0, text.rfind(':'));
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return IpAddress::parse(text);
}

/// Deletes rules, and the chain if `removeChain`, in one transaction.
netlib::Result<> deleteRules(const Ruleset& ruleset, const std::vector<Rule>& rules, const std::string& chain,
                             bool removeChain) {
  std::vector<std::string> commands;
  for (const Rule& rule : rules) commands.push_back(rule.deletion());
  if (removeChain) commands.insert(commands.end(), {"-F " + chain, "-X " + chain});
  return ruleset.iptables.change(kNat, commands);
}

std::vector<Rule> jumpingTo(std::vector<Rule> rules, const std::string& chain) {
  std::erase_if(rules, [&](const Rule& rule) { return rule.option("-j") != chain; });
  return rules;
}

void addUnique(Addresses& addresses, const std::optional<IpAddress>& address) {
  if (address && !contains(addresses, address)) addresses.push_back(*address);
}

/// The chains have one name per container and network: rules for other interfaces of the container remain.
netlib::Result<> removeMasquerade(const Ruleset& ruleset) {
  const std::string& chain = ruleset.names.masquerade;
  if (!ruleset.has(chain)) return {};
  const auto entries = jumpingTo(ruleset.rulesOf(kPostrouting), chain);
  std::vector<Rule> ours;
  for (const Rule& rule : entries) {
    if (contains(ruleset.addresses, singleAddress(rule.option("-s")))) ours.push_back(rule);
  }
  return deleteRules(ruleset, ours, chain, ours.size() == entries.size());
}

netlib::Result<> removeForwards(const Ruleset& ruleset) {
  const std::string& chain = ruleset.names.forwards;
  if (!ruleset.has(chain)) return {};
  const auto translations = jumpingTo(ruleset.rulesOf(chain), "DNAT");
  std::vector<Rule> ours;
  for (const Rule& rule : translations) {
    if (contains(ruleset.addresses, targetOf(rule))) ours.push_back(rule);
  }
  if (ours.size() != translations.size()) return deleteRules(ruleset, ours, chain, false);
  return deleteRules(ruleset, jumpingTo(ruleset.rulesOf(kHostPorts), chain), chain, true);
}

netlib::Result<> removeAccepts(const Ruleset& ruleset) {
  std::vector<std::string> commands;
  for (const Rule& rule : ruleset.rulesOf(kForward)) {
    const bool about = contains(ruleset.addresses, singleAddress(rule.option("-s"))) ||
                       contains(ruleset.addresses, singleAddress(rule.option("-d")));
    if (about && rule.option("-j") == "ACCEPT") commands.push_back(rule.deletion());
  }
  return ruleset.iptables.change(kFilter, commands);
}

void findAddresses(const Ruleset& ruleset) {
  if (!ruleset.addresses.empty()) return;
  for (const Rule& rule : jumpingTo(ruleset.rulesOf(kPostrouting), ruleset.names.masquerade)) {
    addUnique(ruleset.addresses, singleAddress(rule.option("-s")));
  }
  for (const Rule& rule : ruleset.rulesOf(ruleset.names.forwards)) addUnique(ruleset.addresses, targetOf(rule));
}

/// Tables and chains.
using ChainNames = std::vector<std::pair<const char*, std::string>>;

/// The existing ones; with Backend::Legacy all those of existing tables, as /proc lists only tables.
netlib::Result<ChainNames> existing(Host& host, Family family, Backend backend, const ChainNames& wanted) {
  std::set<std::pair<std::string, std::string>> present;
  const auto note = [&](const std::string& table, const std::string& chain) { present.emplace(table, chain); };
  if (backend == Backend::Nft) {
    for (const char* table : {kNat, kFilter}) {
      for (const auto& chain : TRY(netlib::nft::listChains(host.netfilter, {family, table}))) note(table, chain.name);
    }
  } else {
    const auto tables = netlib::iptables::tableNames(family);
    // EACCES: of a rootless network namespace, which ends with the user's runtime.
    if (!tables && !tables.failedWith(EACCES)) return netlib::fail(tables.error());
    for (const std::string& table : tables ? *tables : std::vector<std::string>{}) {
      for (const auto& [wantedTable, chain] : wanted) note(table, chain);
    }
  }
  ChainNames found;
  std::ranges::copy_if(wanted, std::back_inserter(found), [&](const auto& one) { return present.contains(one); });
  return found;
}

netlib::Result<Chains> readChains(const Iptables& iptables, const ChainNames& found) {
  Chains chains;
  for (const auto& [table, chain] : found) {
    if (auto rules = TRY(iptables.rulesOf(table, chain))) chains.emplace(chain, *std::move(rules));
  }
  return chains;
}

netlib::Result<> removeFrom(Host& host, Family family, Backend backend, const ReferenceNames& names,
                            const Addresses& requested) {
  const ChainNames wanted{
      {kNat, names.masquerade}, {kNat, names.forwards}, {kFilter, kForward}, {kNat, kPostrouting}, {kNat, kHostPorts}};
  const ChainNames found = TRY(existing(host, family, backend, wanted));
  Addresses addresses;
  std::ranges::copy_if(requested, std::back_inserter(addresses),
                       [&](const IpAddress& a) { return a.family() == family; });
  const bool relevant = std::ranges::any_of(found, [&](const auto& one) {
    return one.second == names.masquerade || one.second == names.forwards ||
           (one.second == kForward && !addresses.empty());
  });
  if (!relevant) return {};

  const Iptables iptables = TRY(Iptables::open(family, backend, netlib::iptables::Fallback::Plain));
  const Chains chains = TRY(readChains(iptables, found));
  const Ruleset ruleset{iptables, names, chains, addresses};
  findAddresses(ruleset);
  netlib::ErrorList failures;
  failures.add("masquerade chain " + names.masquerade, removeMasquerade(ruleset));
  failures.add("port chain " + names.forwards, removeForwards(ruleset));
  failures.add(std::string{"chain "} + kForward, removeAccepts(ruleset));
  return failures.result();
}

/// In lower-case hexadecimal digits.
std::string sha512(const std::string& text) {
  std::array<char, SHA512_DIGEST_STRING_LENGTH> digits{};
  SHA512Data(reinterpret_cast<const std::uint8_t*>(text.data()), text.size(), digits.data());
  return digits.data();
}

}  // namespace

ReferenceNames::ReferenceNames(const AttachmentKey& key)
    : ReferenceNames(sha512(key.network.toString() + key.container.toString())) {}

ReferenceNames::ReferenceNames(const std::string& hash)
    : masquerade(("CNI-" + hash).substr(0, kChainLength)),
      forwards(("CNI-DN-" + hash).substr(0, kChainLength)),
      bandwidth(netlib::IfName::parse(("bwp" + hash).substr(0, kIfbLength)).value()) {}

netlib::Result<> removeReferenceRules(Host& host, const AttachmentKey& key, const Addresses& addresses) {
  const ReferenceNames names{key};
  netlib::ErrorList failures;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const Backend backend : {Backend::Nft, Backend::Legacy}) {
      failures.add(std::string{nameOf(family)} + " rules of the reference plugins",
                   removeFrom(host, family, backend, names, addresses));
    }
  }
  return failures.result();
}

}  // namespace pons

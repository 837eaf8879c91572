#include "plugin/reference_rules.h"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "netlib/nft.h"

#include "plugin/failures.h"
#include "plugin/iptables.h"
#include "plugin/sha512.h"

namespace pons {

namespace {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using Backend = Iptables::Backend;
using Addresses = std::vector<IpAddress>;

// Chains and links of the reference plugins; the lengths are theirs.
constexpr const char* kNat = "nat";
constexpr const char* kPostrouting = "POSTROUTING";
constexpr const char* kPorts = "CNI-HOSTPORT-DNAT";
constexpr const char* kFilter = "filter";
constexpr const char* kForward = "CNI-FORWARD";
constexpr std::size_t kChainLength = 28;
constexpr std::size_t kIfbLength = 15;

/// The rules of one family and backend.
struct Place {
  const Iptables& iptables;
  const ReferenceNames& names;
  Addresses& addresses;  ///< those asked for; where these are none, those that the rules tell
};

bool isAmong(const Addresses& addresses, const std::optional<IpAddress>& address) {
  return address && std::ranges::find(addresses, *address) != addresses.end();
}

/// Of -s or -d: nothing where it is no single address.
std::optional<IpAddress> singleAddress(std::string_view text) {
  const auto prefix = IpPrefix::parse(text);
  if (!prefix) return IpAddress::parse(text);
  return *prefix == IpPrefix::host(prefix->address()) ? std::optional{prefix->address()} : std::nullopt;
}

/// Of --to-destination: "10.1.0.2:80" or "[fd00::2]:80".
std::optional<IpAddress> targetOf(const IptablesRule& rule) {
  std::string_view text = rule.option("--to-destination");
  text = text.substr(0, text.rfind(':'));
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  return IpAddress::parse(text);
}

/// Deletes, and where nobody else enters the chain any more, takes it with them.
netlib::Result<> deleteEntries(const Place& place, const std::vector<IptablesRule>& rules, const std::string& chain,
                               bool chainGoes) {
  std::vector<std::string> commands;
  for (const IptablesRule& rule : rules) commands.push_back(deletionOf(rule));
  if (chainGoes) commands.insert(commands.end(), {"-F " + chain, "-X " + chain});
  return place.iptables.change(kNat, commands);
}

std::vector<IptablesRule> jumpingTo(std::vector<IptablesRule> rules, const std::string& chain) {
  std::erase_if(rules, [&](const IptablesRule& rule) { return rule.option("-j") != chain; });
  return rules;
}

void learn(Addresses& addresses, const std::optional<IpAddress>& address) {
  if (address && !isAmong(addresses, address)) addresses.push_back(*address);
}

/// The container's second interface in the same network shares both chains: what is about its address stays.
netlib::Result<> removeMasquerade(const Place& place) {
  const std::string& chain = place.names.masquerade;
  if (!TRY(place.iptables.hasChain(kNat, chain))) return {};
  const auto entries = jumpingTo(TRY(place.iptables.rulesOf(kNat, kPostrouting)), chain);
  std::vector<IptablesRule> ours;
  for (const IptablesRule& rule : entries) {
    if (isAmong(place.addresses, singleAddress(rule.option("-s")))) ours.push_back(rule);
  }
  return deleteEntries(place, ours, chain, ours.size() == entries.size());
}

netlib::Result<> removeForwards(const Place& place) {
  const std::string& chain = place.names.forwards;
  if (!TRY(place.iptables.hasChain(kNat, chain))) return {};
  const auto translations = jumpingTo(TRY(place.iptables.rulesOf(kNat, chain)), "DNAT");
  std::vector<std::string> ours;
  for (const IptablesRule& rule : translations) {
    if (isAmong(place.addresses, targetOf(rule))) ours.push_back(deletionOf(rule));
  }
  if (ours.size() != translations.size()) return place.iptables.change(kNat, ours);
  return deleteEntries(place, jumpingTo(TRY(place.iptables.rulesOf(kNat, kPorts)), chain), chain, true);
}

netlib::Result<> removeAccepts(const Place& place) {
  std::vector<std::string> commands;
  for (const IptablesRule& rule : TRY(place.iptables.rulesOf(kFilter, kForward))) {
    const bool about = isAmong(place.addresses, singleAddress(rule.option("-s"))) ||
                       isAmong(place.addresses, singleAddress(rule.option("-d")));
    if (about && rule.option("-j") == "ACCEPT") commands.push_back(deletionOf(rule));
  }
  return place.iptables.change(kFilter, commands);
}

netlib::Result<> learnAddresses(const Place& place) {
  if (!place.addresses.empty()) return {};
  for (const IptablesRule& rule : jumpingTo(TRY(place.iptables.rulesOf(kNat, kPostrouting)), place.names.masquerade)) {
    learn(place.addresses, singleAddress(rule.option("-s")));
  }
  for (const IptablesRule& rule : TRY(place.iptables.rulesOf(kNat, place.names.forwards))) {
    learn(place.addresses, targetOf(rule));
  }
  return {};
}

/// Which of the two tables the reference has used here.
struct Used {
  bool nat = false;
  bool filter = false;
};

netlib::Result<bool> hasAny(Host& host, Family family, const char* table, const std::vector<std::string>& names) {
  const auto chains = TRY(netlib::nft::listChains(host.netfilter, {family, table}));
  return std::ranges::any_of(chains,
                             [&](const auto& chain) { return std::ranges::find(names, chain.name) != names.end(); });
}

netlib::Result<Used> usedOf(Host& host, Family family, Backend backend, const ReferenceNames& names) {
  if (backend == Backend::Nft) {
    return Used{TRY(hasAny(host, family, kNat, {names.masquerade, names.forwards})),
                TRY(hasAny(host, family, kFilter, {kForward}))};
  }
  Used used;
  std::ifstream tables{family == Family::Ipv4 ? "/proc/thread-self/net/ip_tables_names"
                                              : "/proc/thread-self/net/ip6_tables_names"};
  for (std::string table; std::getline(tables, table);) {
    if (table == kNat) used.nat = true;
    if (table == kFilter) used.filter = true;
  }
  return used;
}

netlib::Result<> removeFrom(Host& host, Family family, Backend backend, const ReferenceNames& names,
                            const Addresses& asked) {
  const Used used = TRY(usedOf(host, family, backend, names));
  Addresses addresses;
  std::ranges::copy_if(asked, std::back_inserter(addresses), [&](const IpAddress& a) { return a.family() == family; });
  if (!used.nat && (!used.filter || addresses.empty())) return {};

  const Iptables iptables = TRY(Iptables::open(family, backend));
  const Place place{iptables, names, addresses};
  Failures failures;
  if (used.nat) {
    TRY(learnAddresses(place));
    failures.add("masquerade chain " + names.masquerade, removeMasquerade(place));
    failures.add("port chain " + names.forwards, removeForwards(place));
  }
  if (used.filter && !addresses.empty()) failures.add(std::string{"chain "} + kForward, removeAccepts(place));
  return failures.result();
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
  Failures failures;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const Backend backend : {Backend::Nft, Backend::Legacy}) {
      failures.add(std::string{nameOf(family)} + " rules of the reference plugins",
                   removeFrom(host, family, backend, names, addresses));
    }
  }
  return failures.result();
}

}  // namespace pons

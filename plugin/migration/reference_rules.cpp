#include "plugin/migration/reference_rules.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <sha2.h>

#include "netlib/base/error_list.h"
#include "netlib/nft/transaction.h"

#include "plugin/migration/iptables_program.h"

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

/// The chains of a table that may tell of the container, with their rules; those that are not there are missing.
using Chains = std::map<std::string, std::vector<IptablesRule>>;

/// What there is in one family and backend.
struct Place {
  const Iptables& iptables;
  const ReferenceNames& names;
  const Chains& chains;
  Addresses& addresses;  ///< those asked for; where these are none, those that the rules tell

  std::vector<IptablesRule> rulesOf(const std::string& chain) const {
    const auto found = chains.find(chain);
    return found == chains.end() ? std::vector<IptablesRule>{} : found->second;
  }
  bool has(const std::string& chain) const { return chains.contains(chain); }
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
  if (!place.has(chain)) return {};
  const auto entries = jumpingTo(place.rulesOf(kPostrouting), chain);
  std::vector<IptablesRule> ours;
  for (const IptablesRule& rule : entries) {
    if (isAmong(place.addresses, singleAddress(rule.option("-s")))) ours.push_back(rule);
  }
  return deleteEntries(place, ours, chain, ours.size() == entries.size());
}

netlib::Result<> removeForwards(const Place& place) {
  const std::string& chain = place.names.forwards;
  if (!place.has(chain)) return {};
  const auto translations = jumpingTo(place.rulesOf(chain), "DNAT");
  std::vector<IptablesRule> ours;
  for (const IptablesRule& rule : translations) {
    if (isAmong(place.addresses, targetOf(rule))) ours.push_back(rule);
  }
  if (ours.size() != translations.size()) return deleteEntries(place, ours, chain, false);
  return deleteEntries(place, jumpingTo(place.rulesOf(kPorts), chain), chain, true);
}

netlib::Result<> removeAccepts(const Place& place) {
  std::vector<std::string> commands;
  for (const IptablesRule& rule : place.rulesOf(kForward)) {
    const bool about = isAmong(place.addresses, singleAddress(rule.option("-s"))) ||
                       isAmong(place.addresses, singleAddress(rule.option("-d")));
    if (about && rule.option("-j") == "ACCEPT") commands.push_back(deletionOf(rule));
  }
  return place.iptables.change(kFilter, commands);
}

void learnAddresses(const Place& place) {
  if (!place.addresses.empty()) return;
  for (const IptablesRule& rule : jumpingTo(place.rulesOf(kPostrouting), place.names.masquerade)) {
    learn(place.addresses, singleAddress(rule.option("-s")));
  }
  for (const IptablesRule& rule : place.rulesOf(place.names.forwards)) learn(place.addresses, targetOf(rule));
}

/// Tables and chains that may be about the container.
using Wanted = std::vector<std::pair<const char*, std::string>>;

/// Those of them that there are: exactly for nf_tables, by table for the older backend, which tells no more.
netlib::Result<Wanted> foundOf(Host& host, Family family, Backend backend, const Wanted& wanted) {
  std::set<std::pair<std::string, std::string>> there;
  const auto note = [&](const std::string& table, const std::string& chain) { there.emplace(table, chain); };
  if (backend == Backend::Nft) {
    for (const char* table : {kNat, kFilter}) {
      for (const auto& chain : TRY(netlib::nft::listChains(host.netfilter, {family, table}))) note(table, chain.name);
    }
  } else {
    const std::string directory = "/proc/thread-self/net/";
    std::ifstream tables{directory + (family == Family::Ipv4 ? "ip_tables_names" : "ip6_tables_names")};
    for (std::string table; std::getline(tables, table);) {
      for (const auto& [wantedTable, chain] : wanted) note(table, chain);
    }
  }
  Wanted found;
  std::ranges::copy_if(wanted, std::back_inserter(found), [&](const auto& one) { return there.contains(one); });
  return found;
}

netlib::Result<Chains> readAll(const Iptables& iptables, const Wanted& found) {
  Chains chains;
  for (const auto& [table, chain] : found) {
    if (auto rules = TRY(iptables.rulesOf(table, chain))) chains.emplace(chain, *std::move(rules));
  }
  return chains;
}

netlib::Result<> removeFrom(Host& host, Family family, Backend backend, const ReferenceNames& names,
                            const Addresses& asked) {
  const Wanted wanted{
      {kNat, names.masquerade}, {kNat, names.forwards}, {kFilter, kForward}, {kNat, kPostrouting}, {kNat, kPorts}};
  const Wanted found = TRY(foundOf(host, family, backend, wanted));
  Addresses addresses;
  std::ranges::copy_if(asked, std::back_inserter(addresses), [&](const IpAddress& a) { return a.family() == family; });
  const bool concerned = std::ranges::any_of(found, [&](const auto& one) {
    return one.second == names.masquerade || one.second == names.forwards ||
           (one.second == kForward && !addresses.empty());
  });
  if (!concerned) return {};

  const Iptables iptables = TRY(Iptables::open(family, backend));
  const Chains chains = TRY(readAll(iptables, found));
  const Place place{iptables, names, chains, addresses};
  learnAddresses(place);
  netlib::ErrorList failures;
  failures.add("masquerade chain " + names.masquerade, removeMasquerade(place));
  failures.add("port chain " + names.forwards, removeForwards(place));
  failures.add(std::string{"chain "} + kForward, removeAccepts(place));
  return failures.result();
}

}  // namespace

namespace {

/// The digest as lower-case hex digits.
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

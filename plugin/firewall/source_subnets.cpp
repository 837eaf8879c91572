#include "plugin/firewall/source_subnets.h"

#include <algorithm>

namespace pons::nat {

namespace nft = netlib::nft;
using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

constexpr std::string_view kPrefix = "subnet_";
constexpr std::string_view kNetworkComment = "network ";

/// Multicast and, for IPv4, broadcast: these stay on the link, but pass this hook with br_netfilter.
std::vector<IpPrefix> groups(Family family) {
  if (family == Family::Ipv6) return {IpPrefix::parse("ff00::/8").value()};
  return {IpPrefix::parse("224.0.0.0/4").value(), IpPrefix::parse("255.255.255.255/32").value()};
}

void append(std::vector<nft::Element>& elements, Family family, netlib::Uint128 first, netlib::Uint128 last,
            const std::string& chain) {
  auto interval = intervalElements(IpAddress::fromNumber(family, first), IpAddress::fromNumber(family, last));
  interval.front().jumpTo = chain;
  std::ranges::move(interval, std::back_inserter(elements));
}

bool isInside(const IpPrefix& narrow, const IpPrefix& wide) {
  return narrow.length() > wide.length() && wide.contains(narrow.first());
}

/// The addresses of the subnet that are in no narrower one. `sorted` by first address, wider ones first.
void appendOwnPart(std::vector<nft::Element>& elements, const IpPrefix& subnet, const std::vector<IpPrefix>& sorted) {
  netlib::Uint128 next = subnet.first().number();
  for (const IpPrefix& other : sorted) {
    // A subnet of a subnet that was skipped already.
    if (!isInside(other, subnet) || other.first().number() < next) continue;
    if (other.first().number() > next) {
      append(elements, subnet.family(), next, other.first().number() - 1, subnetChain(subnet));
    }
    if (other.last() == subnet.last()) return;
    next = other.last().number() + 1;
  }
  append(elements, subnet.family(), next, subnet.last().number(), subnetChain(subnet));
}

}  // namespace

// nft has no ":" in names.
std::string subnetChain(const IpPrefix& subnet) {
  std::string name = std::string{kPrefix} + subnet.network().toString();
  std::ranges::replace(name, ':', '-');
  return name;
}

std::optional<IpPrefix> subnetOfChain(std::string_view chain) {
  if (!chain.starts_with(kPrefix)) return std::nullopt;
  std::string text{chain.substr(kPrefix.size())};
  std::ranges::replace(text, '-', ':');
  const auto subnet = IpPrefix::parse(text);
  return subnet && subnetChain(*subnet) == chain ? subnet : std::nullopt;
}

void appendSubnet(nft::Transaction& transaction, const IpPrefix& subnet, Hairpin hairpin) {
  transaction.addChain(tableOf(subnet.family()), subnetChain(subnet));
  if (hairpin == Hairpin::With) appendHairpin(transaction, subnet);
}

void appendHairpin(nft::Transaction& transaction, const IpPrefix& subnet) {
  // No match on iifname: in postrouting, packets that br_netfilter brings have no input interface.
  transaction.insertRule(tableOf(subnet.family()), subnetChain(subnet),
                         nft::Rule{}.ctLabel(kPublished).daddr(subnet).masquerade());
}

std::vector<nft::Element> sourceElements(const IpPrefix& subnet) { return sourceElements(std::vector{subnet}); }

std::vector<nft::Element> sourceElements(std::vector<IpPrefix> subnets) {
  std::ranges::sort(subnets, {}, [](const IpPrefix& p) { return std::pair{p.first().number(), p.length()}; });
  std::vector<nft::Element> elements;
  for (const IpPrefix& subnet : subnets) appendOwnPart(elements, subnet, subnets);
  return elements;
}

void appendJump(nft::Transaction& transaction, const IpPrefix& subnet, const std::string& networkChain) {
  transaction.addRule(tableOf(subnet.family()), subnetChain(subnet),
                      nft::Rule{}.loadSaddr(subnet.family(), 0).lookup(networkChain, 0).jump(networkChain));
}

void appendNetwork(nft::Transaction& transaction, const SourceNat& nat, const std::string& chain,
                   const std::string& comment) {
  const nft::Table table = tableOf(nat.family());
  transaction.addSet(table, {.name = chain,
                             .keyType = nat.family() == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr,
                             .keyLength = addressRegisters(nat.family()) * 4});
  transaction.addChain(table, chain, comment);
  for (const auto& subnet : nat.subnets) appendJump(transaction, subnet, chain);
  const auto appendReturn = [&](const netlib::IpPrefix& destination) {
    transaction.addRule(table, chain, nft::Rule{}.daddr(destination).returnToCaller());
  };
  for (const auto& subnet : nat.subnets) appendReturn(subnet);
  for (const auto& group : groups(nat.family())) appendReturn(group);
  for (const auto& destination : nat.destinations) appendReturn(destination);
  transaction.addRule(table, chain, nft::Rule{}.masquerade());
}

std::string networkComment(const NetworkName& network) { return std::string{kNetworkComment} + network.toString(); }

std::optional<NetworkName> networkIn(std::string_view comment) {
  // One of that length may have been cut: a part of a name is another name.
  if (!comment.starts_with(kNetworkComment) || comment.size() >= nft::kLongestComment) return std::nullopt;
  return NetworkName::parse(comment.substr(kNetworkComment.size()));
}

}  // namespace pons::nat

#include "plugin/firewall/restricted_ports.h"

#include <ranges>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/reject_chain.h"

namespace pons::restricted {

namespace nft = netlib::nft;
using netlib::Family;
using netlib::IpAddress;
using nft::Rule;

namespace {

constexpr const char* kForwardPorts = "forward_ports";
constexpr std::size_t kRegister = 4;

using Key = std::vector<std::uint8_t>;

std::size_t addressLength(Family family) { return nat::addressRegisters(family) * kRegister; }

/// Behind the addresses: protocol . host port.
void appendPort(Key& key, const PortForward& forward) {
  const auto port = nat::portKey(forward.protocol, forward.hostPort);
  key.insert(key.end(), port.begin(), port.end());
}

Key sourceKey(const PortForward& forward, const IpAddress& source) {
  Key key;
  nft::appendPadded(key, forward.target.bytes());
  if (!forward.hostAddress.isUnspecified()) nft::appendPadded(key, forward.hostAddress.bytes());
  appendPort(key, forward);
  nft::appendPadded(key, source.bytes());
  return key;
}

/// The key after that one. The padding behind the port takes what is carried from the source.
Key after(Key key) {
  for (std::uint8_t& byte : key | std::views::reverse) {
    if (++byte != 0) break;
  }
  return key;
}

/// From register 0 on.
Rule& loadPort(Rule& rule, Family family) {
  const nft::Register protocol = nat::addressRegisters(family);
  return rule.loadDaddr(family, 0).loadL4proto(protocol).loadCtOriginalDport(protocol + 1);
}

void appendAllowed(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  const nft::Register address = nat::addressRegisters(family);
  Rule atAddress;
  atAddress.loadDaddr(family, 0).loadCtOriginalDaddr(family, address);
  atAddress.loadL4proto(2 * address).loadCtOriginalDport(2 * address + 1).loadSaddr(family, 2 * address + 2);
  transaction.addRule(table, kRestricted, atAddress.lookup(kAllowedIp, 0).returnToCaller());
  Rule any;
  loadPort(any, family).loadSaddr(family, address + 2);
  transaction.addRule(table, kRestricted, any.lookup(kAllowedAny, 0).returnToCaller());
}

void appendSets(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  const std::uint32_t addressType = family == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr;
  const auto length = static_cast<std::uint32_t>(addressLength(family));
  transaction.addSet(table, {.name = kRestrictedPorts,
                             .keyType = nft::concat(nft::concat(addressType, nft::kInetProto), nft::kInetService),
                             .keyLength = length + 8});
  for (const auto& [name, addresses] : {std::pair{kAllowedAny, 2U}, {kAllowedIp, 3U}}) {
    transaction.addSet(table,
                       {.name = name, .keyType = nft::kInteger, .keyLength = addresses * length + 8, .interval = true});
  }
}

}  // namespace

void appendRestrictedPorts(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  appendSets(transaction, family);

  transaction.addChain(table, kRestricted, "published ports with allowFrom");
  appendAllowed(transaction, family);
  transaction.addRule(table, kRestricted, Rule{}.counter().jump(reject::kByProtocol));

  // Before the host's own filter chains: a rejection is final, an accept is not.
  transaction.addBaseChain(
      table, {.name = kForwardPorts, .type = "filter", .hook = NF_INET_FORWARD, .priority = NF_IP_PRI_FILTER - 1});
  transaction.addRule(table, kForwardPorts, Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  Rule restricted;
  restricted.ctLabel(nat::kPublished);
  loadPort(restricted, family).lookup(kRestrictedPorts, 0).jump(kRestricted);
  transaction.addRule(table, kForwardPorts, restricted);
}

std::map<std::string, std::vector<nft::Element>> elementsOf(const PortForward& forward) {
  if (forward.allowFrom.empty()) return {};
  std::map<std::string, std::vector<nft::Element>> elements;
  nft::Element port;
  nft::appendPadded(port.key, forward.target.bytes());
  appendPort(port.key, forward);
  elements[kRestrictedPorts] = {port};
  for (const netlib::IpPrefix& prefix : forward.allowFrom) {
    if (prefix.family() != forward.target.family()) continue;
    auto& sources = elements[forward.hostAddress.isUnspecified() ? kAllowedAny : kAllowedIp];
    sources.push_back({.key = sourceKey(forward, prefix.first())});
    sources.push_back({.key = after(sourceKey(forward, prefix.last())), .intervalEnd = true});
  }
  return elements;
}

bool hasSources(std::string_view set) { return set == kAllowedAny || set == kAllowedIp; }

std::optional<PortForward> portOf(const nft::Element& element, Family family, std::string_view set) {
  const std::size_t address = addressLength(family);
  const bool hasHostAddress = set == kAllowedIp;
  const std::span key{element.key};
  const std::size_t port = hasHostAddress ? 2 * address : address;
  if (key.size() != port + 2 * kRegister + (hasSources(set) ? address : 0)) return std::nullopt;
  const Protocol protocol{key[port]};
  if (nameOf(protocol).empty()) return std::nullopt;
  const auto hostAddress =
      hasHostAddress ? *IpAddress::fromBytes(key.subspan(address, address)) : IpAddress::unspecified(family);
  const auto hostPort = static_cast<Port>(key[port + kRegister] << 8 | key[port + kRegister + 1]);
  return PortForward{protocol, hostAddress, hostPort, *IpAddress::fromBytes(key.first(address)), 0};
}

std::optional<std::string> sourceText(const nft::Element& start, const nft::Element* end, Family family,
                                      std::string_view set) {
  const auto port = hasSources(set) ? portOf(start, family, set) : std::nullopt;
  if (!port) return std::nullopt;
  const IpAddress first = *IpAddress::fromBytes(std::span{start.key}.last(addressLength(family)));
  std::optional<netlib::IpPrefix> prefix;  // none for an interval that pons could not have added
  for (int length = 0; end != nullptr && length <= bitsOf(family); ++length) {
    const auto candidate = *netlib::IpPrefix::of(first, length);
    if (candidate.first() == first && after(sourceKey(*port, candidate.last())) == end->key) prefix = candidate;
  }
  return (prefix ? prefix->toString() : first.toString()) + " to port " + std::to_string(port->hostPort) + "/" +
         std::string{nameOf(port->protocol)};
}

}  // namespace pons::restricted

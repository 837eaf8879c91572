#include "plugin/firewall/restricted_ports.h"

#include <cstring>

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>

#include "netlib/base/hash.h"

#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/prefix_sets.h"
#include "plugin/firewall/reject_chain.h"

namespace pons::restricted {

namespace nft = netlib::nft;
using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using nft::Rule;

namespace {

constexpr const char* kForwardPorts = "forward_ports";
constexpr const char* kAllowed = "allowed";
constexpr const char* kRestrictions = "restrictions";
constexpr std::size_t kRegister = 4;

using Key = std::vector<std::uint8_t>;

std::size_t addressLength(Family family) { return nat::addressRegisters(family) * kRegister; }

/// Behind the addresses: protocol . host port.
void appendPort(Key& key, const PortForward& forward) {
  const auto port = nat::portKey(forward.protocol, forward.hostPort);
  key.insert(key.end(), port.begin(), port.end());
}

Key keyOf(const PortForward& forward) {
  Key key;
  nft::appendPadded(key, forward.target.bytes());
  nft::appendPadded(key, forward.hostAddress.bytes());
  appendPort(key, forward);
  return key;
}

Key sourceKey(const PortForward& forward, const IpAddress& source) {
  Key key = keyOf(forward);
  nft::appendPadded(key, source.bytes());
  return key;
}

std::vector<std::uint8_t> hashOf(const std::vector<IpPrefix>& prefixes) {
  std::string all;
  for (const IpPrefix& prefix : prefixes) all += prefix.toString() + ' ';
  const auto hash = static_cast<std::uint32_t>(netlib::hashOf(all));
  std::vector<std::uint8_t> bytes(sizeof hash);
  std::memcpy(bytes.data(), &hash, sizeof hash);
  return bytes;
}

/// At the host address of the connection, and at all.
void appendAllowed(nft::Transaction& transaction, Family family, int length) {
  const nft::Register address = nat::addressRegisters(family);
  for (const int hostAddressLength : {bitsOf(family), 0}) {
    Rule rule;
    rule.loadDaddr(family, 0).loadCtOriginalDaddr(family, hostAddressLength, address);
    rule.loadL4proto(2 * address).loadCtOriginalDport(2 * address + 1).loadSaddr(family, length, 2 * address + 2);
    transaction.addRule(nat::tableOf(family), kRestricted,
                        rule.lookup(prefix_sets::nameOf(kAllowed, length), 0).returnToCaller());
  }
}

void appendSets(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  const std::uint32_t address = family == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr;
  const auto length = static_cast<std::uint32_t>(addressLength(family));
  const auto withPort = [](std::uint32_t type) {
    return nft::concat(nft::concat(type, nft::kInetProto), nft::kInetService);
  };
  transaction.addSet(table, {.name = kRestrictedPorts, .keyType = withPort(address), .keyLength = length + 8});
  const std::uint32_t ofForward = withPort(nft::concat(address, address));
  transaction.addSet(table, {.name = kRestrictions,
                             .keyType = ofForward,
                             .keyLength = 2 * length + 8,
                             .dataType = nft::kMark,
                             .dataLength = kRegister});
  for (const std::string& name : prefix_sets::namesOf(kAllowed, family)) {
    transaction.addSet(table, {.name = name, .keyType = nft::concat(ofForward, address), .keyLength = 3 * length + 8});
  }
}

}  // namespace

void appendRestrictedPorts(nft::Transaction& transaction, Family family) {
  const nft::Table table = nat::tableOf(family);
  appendSets(transaction, family);

  transaction.addChain(table, kRestricted, "published ports with allowFrom");
  for (const int length : prefix_sets::lengthsOf(family)) appendAllowed(transaction, family, length);
  transaction.addRule(table, kRestricted, Rule{}.counter().jump(reject::kByProtocol));

  // Before the host's own filter chains: a rejection is final, an accept is not.
  transaction.addBaseChain(
      table, {.name = kForwardPorts, .type = "filter", .hook = NF_INET_FORWARD, .priority = NF_IP_PRI_FILTER - 1});
  transaction.addRule(table, kForwardPorts, Rule{}.ctState(nft::kEstablished | nft::kRelated).accept());
  const nft::Register protocol = nat::addressRegisters(family);
  Rule restricted;
  restricted.ctLabel(nat::kPublished).loadDaddr(family, 0).loadL4proto(protocol).loadCtOriginalDport(protocol + 1);
  transaction.addRule(table, kForwardPorts, restricted.lookup(kRestrictedPorts, 0).jump(kRestricted));
}

std::vector<std::string> setsOf(Family family) {
  std::vector<std::string> sets = prefix_sets::namesOf(kAllowed, family);
  sets.insert(sets.end(), {kRestrictedPorts, kRestrictions});
  return sets;
}

nft::ElementsBySet elementsFor(const PortForward& forward, const IpPrefix& allowed) {
  nft::ElementsBySet elements;
  if (allowed.family() != forward.target.family()) return elements;
  for (const IpPrefix& part : prefix_sets::partsOf(allowed)) {
    elements[prefix_sets::nameOf(kAllowed, part.length())].push_back({.key = sourceKey(forward, part.first())});
  }
  return elements;
}

nft::ElementsBySet elementsOf(const PortForward& forward) {
  if (forward.allowFrom.empty()) return {};
  nft::ElementsBySet elements;
  nft::Element port;
  nft::appendPadded(port.key, forward.target.bytes());
  appendPort(port.key, forward);
  elements[kRestrictedPorts] = {port};
  elements[kRestrictions] = {{.key = keyOf(forward), .data = hashOf(forward.allowFrom)}};
  for (const IpPrefix& allowed : forward.allowFrom) {
    for (auto& [set, some] : elementsFor(forward, allowed)) std::ranges::move(some, std::back_inserter(elements[set]));
  }
  return elements;
}

std::optional<PortForward> portOf(const nft::Element& element, Family family, std::string_view set) {
  const std::size_t address = addressLength(family);
  const bool hasHostAddress = set != kRestrictedPorts;
  const bool hasSource = hasHostAddress && set != kRestrictions;
  const std::span key{element.key};
  const std::size_t port = hasHostAddress ? 2 * address : address;
  if (key.size() != port + 2 * kRegister + (hasSource ? address : 0)) return std::nullopt;
  const Protocol protocol{key[port]};
  if (nameOf(protocol).empty()) return std::nullopt;
  const auto hostAddress =
      hasHostAddress ? *IpAddress::fromBytes(key.subspan(address, address)) : IpAddress::unspecified(family);
  const auto hostPort = static_cast<Port>(key[port + kRegister] << 8 | key[port + kRegister + 1]);
  return PortForward{protocol, hostAddress, hostPort, *IpAddress::fromBytes(key.first(address)), 0};
}

}  // namespace pons::restricted

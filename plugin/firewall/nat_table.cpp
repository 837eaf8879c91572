#include "plugin/firewall/nat_table.h"

#include <algorithm>
#include <array>

#include <endian.h>
#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <net/if.h>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/source_subnets.h"

namespace pons::nat {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr const char* kMartian127 = "martian_127";
constexpr const char* kRawPrerouting = "raw_prerouting";
constexpr const char* kRawOutput = "raw_output";
constexpr const char* kUdpZone = "udp_zone";
constexpr const char* kPrerouting = "prerouting";
constexpr const char* kOutput = "output";
constexpr const char* kForwards = "forwards";
constexpr const char* kPostrouting = "postrouting";

netlib::IpPrefix prefixOf(const char* text) { return netlib::IpPrefix::parse(text).value(); }
netlib::IpPrefix loopback(Family family) { return prefixOf(family == Family::Ipv4 ? "127.0.0.0/8" : "::1/128"); }
void appendMaps(nft::Transaction& transaction, Family family) {
  const std::uint32_t addressType = family == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr;
  const std::uint32_t addressLength = addressRegisters(family) * 4;
  const std::uint32_t portKey = nft::concat(nft::kInetProto, nft::kInetService);
  const std::uint32_t target = nft::concat(addressType, nft::kInetService);
  const nft::Table table = tableOf(family);
  transaction.addSet(
      table,
      {.name = kForwardsAny, .keyType = portKey, .keyLength = 8, .dataType = target, .dataLength = addressLength + 4});
  transaction.addSet(table, {.name = kForwardsIp,
                             .keyType = nft::concat(nft::concat(addressType, nft::kInetProto), nft::kInetService),
                             .keyLength = addressLength + 8,
                             .dataType = target,
                             .dataLength = addressLength + 4});
  transaction.addSet(table, {.name = kUdpAny, .keyType = nft::kInetService, .keyLength = sizeof(Port)});
  transaction.addSet(
      table, {.name = kUdpIp, .keyType = nft::concat(addressType, nft::kInetService), .keyLength = addressLength + 4});
  transaction.addSet(table, {.name = kMasqueraded, .keyType = addressType, .keyLength = addressLength});
}

/// A packet to ::1 stays on the loopback link whatever its destination is translated to. So it is left alone: without a
/// listener it is refused at once, and clients of "localhost" try 127.0.0.1 next.
void appendReturnOfLoopback6(nft::Transaction& transaction, const char* chain) {
  transaction.addRule(tableOf(Family::Ipv6), chain, nft::Rule{}.daddr(loopback(Family::Ipv6)).returnToCaller());
}

/// NAT applies to the first packet of a conntrack entry only, and an entry of UDP lives as long as packets come: a
/// client that sent before its port was published would never reach the container. In a conntrack zone of its own the
/// next packet makes a new entry. Only the original direction has the zone: replies come from the container, and match.
void appendUdpZone(nft::Transaction& transaction, Family family) {
  constexpr std::uint16_t kZone = 0x706f;  // "po"; no other program is known to use it
  const nft::Table table = tableOf(family);
  transaction.addChain(table, kUdpZone, "published ports by UDP");
  if (family == Family::Ipv6) appendReturnOfLoopback6(transaction, kUdpZone);
  transaction.addRule(
      table, kUdpZone,
      nft::Rule{}.loadDaddr(family, 0).loadDport(addressRegisters(family)).lookup(kUdpIp, 0).ctZoneSet(kZone));
  transaction.addRule(table, kUdpZone, nft::Rule{}.loadDport(0).lookup(kUdpAny, 0).ctZoneSet(kZone));
  for (const auto& [chain, hook] : {std::pair{kRawPrerouting, NF_INET_PRE_ROUTING}, {kRawOutput, NF_INET_LOCAL_OUT}}) {
    transaction.addBaseChain(
        table, {.name = chain, .type = "filter", .hook = static_cast<std::uint32_t>(hook), .priority = NF_IP_PRI_RAW});
    transaction.addRule(table, chain,
                        nft::Rule{}.l4proto(IPPROTO_UDP).fibDaddrType(nft::AddressType::Local).jump(kUdpZone));
  }
}

void appendForwards(nft::Transaction& transaction, Family family) {
  const nft::Table table = tableOf(family);
  const nft::Register address = addressRegisters(family);
  transaction.addChain(table, kForwards, "published ports");
  if (family == Family::Ipv6) appendReturnOfLoopback6(transaction, kForwards);
  transaction.addRule(table, kForwards,
                      nft::Rule{}
                          .loadDaddr(family, 0)
                          .loadL4proto(address)
                          .loadDport(address + 1)
                          .map(kForwardsIp, 0, 0)
                          .ctLabelSet(kPublished, address + 1)
                          .dnat(family, 0, address));
  transaction.addRule(table, kForwards,
                      nft::Rule{}
                          .loadL4proto(0)
                          .loadDport(1)
                          .map(kForwardsAny, 0, 0)
                          .ctLabelSet(kPublished, address + 1)
                          .dnat(family, 0, address));
}

void appendHooks(nft::Transaction& transaction, Family family) {
  const nft::Table table = tableOf(family);
  // Only packets to an address of this host: the same port of another host, forwarded by this one, is not translated.
  for (const auto& [chain, hook] : {std::pair{kPrerouting, NF_INET_PRE_ROUTING}, {kOutput, NF_INET_LOCAL_OUT}}) {
    transaction.addBaseChain(
        table, {.name = chain, .type = "nat", .hook = static_cast<std::uint32_t>(hook), .priority = NF_IP_PRI_NAT_DST});
    if (family == Family::Ipv4 && hook == NF_INET_PRE_ROUTING) {
      // From outside this is a martian, which the kernel drops at routing, but not once its destination is translated.
      transaction.addRule(table, chain, nft::Rule{}.daddr(loopback(family)).returnToCaller());
    }
    transaction.addRule(table, chain, nft::Rule{}.fibDaddrType(nft::AddressType::Local).jump(kForwards));
  }
}

/// With route_localnet containers could reach what listens on the host's 127.0.0.1 through their bridge; this drops
/// such packets before routing. IPv6 has no route_localnet, and ports are not published at ::1.
void appendLoopback(nft::Transaction& transaction) {
  const nft::Table table = tableOf(Family::Ipv4);
  transaction.addSet(table, {.name = kBridges, .keyType = nft::kIfname, .keyLength = IFNAMSIZ});
  transaction.addBaseChain(
      table, {.name = kMartian127, .type = "filter", .hook = NF_INET_PRE_ROUTING, .priority = NF_IP_PRI_RAW});
  transaction.addRule(table, kMartian127,
                      nft::Rule{}.loadIifname(0).lookup(kBridges, 0).daddr(loopback(Family::Ipv4)).drop());
  transaction.insertRule(
      table, kPostrouting,
      nft::Rule{}.ctLabel(kPublished).saddr(loopback(Family::Ipv4)).loadOifname(0).lookup(kBridges, 0).masquerade());
}

/// The label marks connections that pons translated. Those that other programs translated (kube-proxy's service
/// addresses) keep their source address.
void appendMasqueraded(nft::Transaction& transaction, Family family) {
  transaction.insertRule(tableOf(family), kPostrouting,
                         nft::Rule{}.ctLabel(kPublished).loadDaddr(family, 0).lookup(kMasqueraded, 0).masquerade());
}

void appendPort(std::vector<std::uint8_t>& to, Port port) {
  const std::array<std::uint8_t, 2> bytes{static_cast<std::uint8_t>(port >> 8), static_cast<std::uint8_t>(port)};
  nft::appendPadded(to, bytes);
}

nft::Element addressElement(const netlib::IpAddress& address) {
  nft::Element element;
  nft::appendPadded(element.key, address.bytes());
  return element;
}

}  // namespace

nft::Table tableOf(Family family) { return {family, "pons"}; }

nft::Register addressRegisters(Family family) { return family == Family::Ipv4 ? 1 : 4; }

void appendSourceNat(nft::Transaction& transaction, Family family) {
  const nft::Table table = tableOf(family);
  transaction.addSet(table, {.name = kSources,
                             .keyType = family == Family::Ipv4 ? nft::kIpv4Addr : nft::kIpv6Addr,
                             .keyLength = addressRegisters(family) * 4,
                             .dataType = nft::kVerdict,
                             .interval = true});
  transaction.addBaseChain(
      table, {.name = kPostrouting, .type = "nat", .hook = NF_INET_POST_ROUTING, .priority = NF_IP_PRI_NAT_SRC});
  transaction.addRule(table, kPostrouting, nft::Rule{}.loadSaddr(family, 0).vmap(kSources, 0));
}

// Each rule of postrouting before those that are there: that of 127.0.0.0/8 is the first.
void appendPorts(nft::Transaction& transaction, Family family) {
  appendMaps(transaction, family);
  appendForwards(transaction, family);
  appendUdpZone(transaction, family);
  appendHooks(transaction, family);
  appendMasqueraded(transaction, family);
  bridges::ensurePublished(transaction, family);
  transaction.addRule(tableOf(family), bridges::kPublished, nft::Rule{}.ctLabel(kPublished).accept());
  if (family == Family::Ipv4) appendLoopback(transaction);
}

const char* mapOf(const PortForward& forward) {
  return forward.hostAddress.isUnspecified() ? kForwardsAny : kForwardsIp;
}

nft::Element elementOf(const PortForward& forward) {
  nft::Element element;
  if (!forward.hostAddress.isUnspecified()) nft::appendPadded(element.key, forward.hostAddress.bytes());
  const auto port = portKey(forward.protocol, forward.hostPort);
  element.key.insert(element.key.end(), port.begin(), port.end());
  nft::appendPadded(element.data, forward.target.bytes());
  appendPort(element.data, forward.targetPort);
  return element;
}

const char* udpSetOf(const PortForward& forward) { return forward.hostAddress.isUnspecified() ? kUdpAny : kUdpIp; }

nft::Element udpElementOf(const PortForward& forward) {
  nft::Element element;
  if (!forward.hostAddress.isUnspecified()) nft::appendPadded(element.key, forward.hostAddress.bytes());
  appendPort(element.key, forward.hostPort);
  if (forward.hostAddress.isUnspecified()) element.key.resize(sizeof(Port));  // only what is joined is padded
  return element;
}

nft::ElementsBySet elementsOf(const Attachment& attachment, Family family) {
  nft::ElementsBySet elements;
  for (const PortForward& forward : attachment.forwards) {
    if (forward.target.family() != family) continue;
    elements[mapOf(forward)].push_back(elementOf(forward));
    if (forward.protocol == Protocol::Udp) elements[udpSetOf(forward)].push_back(udpElementOf(forward));
    for (auto& [set, some] : restricted::elementsOf(forward))
      std::ranges::move(some, std::back_inserter(elements[set]));
    // All forwards of a family have the same target address.
    if (attachment.masqueradeAll) elements[kMasqueraded] = {addressElement(forward.target)};
  }
  for (const SourceNat& nat : attachment.sourceNats) {
    if (nat.family() != family || !nat.masquerade) continue;
    for (const Lease& lease : attachment.leases) {
      if (lease.address.family() != family) continue;
      elements[chainOf(attachment, nat)].push_back(addressElement(lease.address.address()));
    }
  }
  return elements;
}

std::optional<PortForward> forwardOf(const nft::Element& element, Family family, std::string_view map) {
  constexpr std::size_t kRegister = 4;
  const std::size_t addressLength = addressRegisters(family) * kRegister;
  const bool hasAddress = map == kForwardsIp;
  const std::span key{element.key};
  const std::span data{element.data};
  const std::size_t keyLength = (hasAddress ? addressLength : 0) + 2 * kRegister;
  if (key.size() != keyLength || data.size() != addressLength + kRegister) return std::nullopt;

  const auto portAt = [](std::span<const std::uint8_t> bytes) { return static_cast<Port>(bytes[0] << 8 | bytes[1]); };
  const auto hostAddress = hasAddress ? netlib::IpAddress::fromBytes(key.first(addressLength))
                                      : std::optional{netlib::IpAddress::unspecified(family)};
  const auto target = netlib::IpAddress::fromBytes(data.first(addressLength));
  const auto protocolAndPort = key.last(2 * kRegister);
  const Protocol protocol{protocolAndPort[0]};
  if (!hostAddress || !target || nameOf(protocol).empty()) return std::nullopt;
  return PortForward{protocol, *hostAddress, portAt(protocolAndPort.subspan(kRegister)), *target,
                     portAt(data.subspan(addressLength))};
}

std::vector<std::uint8_t> portKey(Protocol protocol, Port port) {
  std::vector<std::uint8_t> key;
  const std::array<std::uint8_t, 1> number{static_cast<std::uint8_t>(protocol)};
  nft::appendPadded(key, number);
  appendPort(key, port);
  return key;
}

std::vector<nft::Element> intervalElements(const netlib::IpPrefix& subnet) {
  return intervalElements(subnet.first(), subnet.last());
}

std::vector<nft::Element> intervalElements(const netlib::IpAddress& first, const netlib::IpAddress& last) {
  const auto keyOf = [](const netlib::IpAddress& address) {
    const auto bytes = address.bytes();
    return std::vector<std::uint8_t>(bytes.begin(), bytes.end());
  };
  std::vector<nft::Element> elements{{.key = keyOf(first)}};
  const auto after = netlib::IpAddress::fromNumber(first.family(), last.number() + 1);
  // An interval that reaches the last address of all has no end element.
  if (!after.isUnspecified()) elements.push_back({.key = keyOf(after), .intervalEnd = true});
  return elements;
}

}  // namespace pons::nat

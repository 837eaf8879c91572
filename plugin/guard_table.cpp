#include "plugin/guard_table.h"

#include <array>
#include <cstring>

// Before the kernel's own, which then leave out what is there.
#include <net/if.h>
#include <netinet/in.h>

#include <linux/icmpv6.h>
#include <linux/netfilter_bridge.h>

namespace pons::guard {

namespace nft = netlib::nft;
using nft::Header;
using nft::Rule;

namespace {

constexpr const char* kArriving = "arriving";
constexpr const char* kByMac = "by_mac";
constexpr const char* kByAddress = "by_address";
constexpr const char* kArp = "arp";
constexpr const char* kIp = "ip";
constexpr const char* kIp6 = "ip6";
constexpr const char* kIcmp6 = "icmp6";
constexpr const char* kAdvertisement = "advertisement";
constexpr const char* kUnspecified = "unspecified";

// Of Ethernet. A tagged frame shows its tag as its type here.
constexpr nft::Field kSourceMac{Header::Link, 6, 6};
constexpr nft::Field kEtherType{Header::Link, 12, 2};
constexpr std::array<std::uint8_t, 2> kTypeIp{0x08, 0x00};
constexpr std::array<std::uint8_t, 2> kTypeArp{0x08, 0x06};
constexpr std::array<std::uint8_t, 2> kTypeIp6{0x86, 0xdd};

// RFC 826.
constexpr nft::Field kArpKind{Header::Network, 0, 6};
constexpr std::array<std::uint8_t, 6> kArpOfIpv4{0, 1, 8, 0, 6, 4};
constexpr nft::Field kArpMac{Header::Network, 8, 6};
constexpr nft::Field kArpAddress{Header::Network, 14, 4};

constexpr nft::Field kSource4{Header::Network, 12, 4};
constexpr nft::Field kSource6{Header::Network, 8, 16};
constexpr nft::Field kSourcePort{Header::Transport, 0, 2};
constexpr std::array<std::uint8_t, 2> kDhcpServer{0, 67};
constexpr std::array<std::uint8_t, 2> kDhcp6Server{547 >> 8, 547 & 0xff};

// RFC 4861, 4.3 and 4.4.
constexpr nft::Field kType{Header::Transport, 0, 1};
constexpr nft::Field kTarget{Header::Transport, 8, 16};
constexpr nft::Field kFirstOption{Header::Transport, 24, 2};
constexpr nft::Field kOptionMac{Header::Transport, 26, 6};
constexpr std::array<std::uint8_t, 2> kTargetMacOption{2, 1};
constexpr nft::Field kPayloadLength{Header::Network, 4, 2};
constexpr std::array<std::uint8_t, 2> kWithoutOption{0, 24};
constexpr std::array<std::uint8_t, 2> kWithOneOption{0, 32};

constexpr std::uint8_t kNeighbourSolicitation = 135;
constexpr std::uint8_t kNeighbourAdvertisement = 136;

nft::Rule typeIs(std::uint8_t type) {
  const std::array<std::uint8_t, 1> bytes{type};
  Rule rule;
  rule.is(kType, bytes);
  return rule;
}

/// The port's name and that field, as the sets have them.
Rule& loadKey(Rule& rule, nft::Field field) {
  constexpr nft::Register kBehindName = IFNAMSIZ / 4;
  return rule.loadInterfaceName(nft::Interface::In, 0).load(field, kBehindName);
}

/// The chain in the making.
class Chain {
 public:
  Chain(nft::Transaction& transaction, const char* name) : transaction_(transaction), name_(name) {}

  void add(const Rule& rule) { transaction_.addRule(table(), name_, rule); }
  void drop(Rule rule = {}) { add(rule.count().drop()); }
  void dropUnless(nft::Field field, const char* set) {
    Rule rule;
    drop(std::move(loadKey(rule, field).notInSet(set, 0)));
  }
  void acceptIf(nft::Field field, const char* set) {
    Rule rule;
    add(loadKey(rule, field).inSet(set, 0).accept());
  }

 private:
  nft::Transaction& transaction_;
  const char* name_;
};

void appendSets(nft::Transaction& transaction) {
  const auto set = [](const char* name, std::uint32_t type, std::uint32_t length) {
    return nft::Set{
        .name = name, .keyType = nft::concat(nft::kIfname, type), .keyLength = IFNAMSIZ + length, .hostEndian = true};
  };
  transaction.addSet(
      table(),
      {.name = kPorts, .keyType = nft::kIfname, .keyLength = IFNAMSIZ, .dataType = nft::kVerdict, .hostEndian = true});
  transaction.addSet(table(), set(kMacs, nft::kEtherAddr, 8));
  transaction.addSet(table(), set(kAddresses4, nft::kIpv4Addr, 4));
  transaction.addSet(table(), set(kAddresses6, nft::kIpv6Addr, 16));
}

void appendArp(Chain chain) {
  chain.drop(std::move(Rule{}.isNot(kArpKind, kArpOfIpv4)));
  chain.dropUnless(kArpMac, kMacs);
  chain.acceptIf(kArpAddress, kAddresses4);
  chain.drop();
}

void appendIp(Chain chain) {
  chain.drop(std::move(Rule{}.transportProtocolIs(IPPROTO_UDP).is(kSourcePort, kDhcpServer)));
  chain.acceptIf(kSource4, kAddresses4);
  chain.drop();
}

void appendIp6(Chain chain) {
  chain.drop(std::move(Rule{}.transportProtocolIs(IPPROTO_UDP).is(kSourcePort, kDhcp6Server)));
  chain.add(Rule{}.transportProtocolIs(IPPROTO_ICMPV6).jump(kIcmp6));
  chain.acceptIf(kSource6, kAddresses6);
  chain.drop();
}

void appendIcmp6(Chain chain) {
  constexpr std::uint8_t kRouterAdvertisement = 134;
  constexpr std::uint8_t kRedirect = 137;
  constexpr std::array<std::uint8_t, 16> kNone{};
  for (const std::uint8_t type : {std::uint8_t{ICMPV6_MGM_QUERY}, kRouterAdvertisement, kRedirect}) {
    chain.drop(typeIs(type));
  }
  chain.add(typeIs(kNeighbourAdvertisement).jump(kAdvertisement));
  chain.add(Rule{}.is(kSource6, kNone).jump(kUnspecified));
}

/// A second option could name another MAC, so there is at most one.
void appendAdvertisement(Chain chain) {
  chain.dropUnless(kTarget, kAddresses6);
  chain.add(Rule{}.is(kPayloadLength, kWithoutOption).returnToCaller());
  Rule rule;
  rule.is(kPayloadLength, kWithOneOption).is(kFirstOption, kTargetMacOption);
  chain.add(loadKey(rule, kOptionMac).inSet(kMacs, 0).returnToCaller());
  chain.drop();
}

void appendUnspecified(Chain chain) {
  Rule detection = typeIs(kNeighbourSolicitation);
  chain.add(loadKey(detection, kTarget).inSet(kAddresses6, 0).accept());
  chain.add(typeIs(ICMPV6_MLD2_REPORT).accept());
  chain.drop();
}

nft::Element elementOf(const netlib::IfName& port, std::span<const std::uint8_t> bytes) {
  nft::Element element{.key = nft::keyOf(port)};
  nft::appendPadded(element.key, bytes);
  return element;
}

}  // namespace

nft::Table table() { return {nft::TableFamily::Bridge, "pons"}; }

void appendSkeleton(nft::Transaction& transaction) {
  transaction.addTable(table());
  appendSets(transaction);
  for (const char* chain : {kByMac, kByAddress, kArp, kIp, kIp6, kIcmp6, kAdvertisement, kUnspecified}) {
    transaction.addChain(table(), chain);
  }
  Chain{transaction, kByMac}.dropUnless(kSourceMac, kMacs);
  Chain byAddress{transaction, kByAddress};
  byAddress.dropUnless(kSourceMac, kMacs);
  byAddress.add(Rule{}.is(kEtherType, kTypeIp).jump(kIp));
  byAddress.add(Rule{}.is(kEtherType, kTypeIp6).jump(kIp6));
  byAddress.add(Rule{}.is(kEtherType, kTypeArp).jump(kArp));
  byAddress.drop();
  appendArp({transaction, kArp});
  appendIp({transaction, kIp});
  appendIp6({transaction, kIp6});
  appendIcmp6({transaction, kIcmp6});
  appendAdvertisement({transaction, kAdvertisement});
  appendUnspecified({transaction, kUnspecified});
  transaction.addBaseChain(
      table(), {.name = kArriving, .type = "filter", .hook = NF_BR_PRE_ROUTING, .priority = NF_BR_PRI_NAT_DST_BRIDGED});
  transaction.addRule(table(), kArriving, Rule{}.loadInterfaceName(nft::Interface::In, 0).verdictMap(kPorts, 0));
}

std::vector<std::pair<const char*, std::size_t>> chains() {
  return {{kArriving, 1}, {kByMac, 1}, {kByAddress, 5},     {kArp, 4},        {kIp, 3},
          {kIp6, 4},      {kIcmp6, 5}, {kAdvertisement, 4}, {kUnspecified, 3}};
}

std::map<std::string, std::vector<nft::Element>> elementsOf(const Attachment& attachment) {
  std::map<std::string, std::vector<nft::Element>> elements;
  if (attachment.guard == SenderGuard::None) return elements;
  const netlib::IfName& port = attachment.hostVeth;
  const bool byAddress = attachment.guard == SenderGuard::Address;
  elements[kPorts] = {{.key = nft::keyOf(port), .jumpTo = byAddress ? kByAddress : kByMac}};
  elements[kMacs] = {elementOf(port, attachment.containerMac.bytes())};
  if (!byAddress) return elements;
  for (const netlib::IpAddress& address : sourcesOf(attachment)) {
    elements[address.isIpv4() ? kAddresses4 : kAddresses6].push_back(elementOf(port, address.bytes()));
  }
  return elements;
}

std::string portOf(const nft::Element& element) {
  return {reinterpret_cast<const char*>(element.key.data()),
          strnlen(reinterpret_cast<const char*>(element.key.data()), element.key.size())};
}

}  // namespace pons::guard

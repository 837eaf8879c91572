#include "plugin/firewall/guard_table.h"

#include <array>
#include <cstring>

#include <linux/netfilter.h>
#include <net/if.h>

namespace pons::guard {

namespace nft = netlib::nft;
using nft::Header;
using nft::Icmpv6Type;
using nft::Rule;

namespace {

// linux/netfilter_bridge.h conflicts with <netinet/in.h>.
constexpr std::uint32_t kPrerouting = 0;  // NF_BR_PRE_ROUTING
constexpr std::int32_t kEarly = -300;     // NF_BR_PRI_NAT_DST_BRIDGED; br_netfilter comes at 0

constexpr const char* kSpoofGuard = "spoof_guard";
constexpr const char* kByMac = "by_mac";
constexpr const char* kByAddress = "by_address";
constexpr const char* kByTrunk = "by_trunk";
constexpr const char* kArp = "from_arp";
constexpr const char* kIp = "from_ipv4";
constexpr const char* kIp6 = "from_ipv6";
constexpr const char* kIcmp6 = "from_icmpv6";
constexpr const char* kAdvertisement = "advertisement";
constexpr const char* kUnspecified = "unspecified";

constexpr std::array kDropping{DroppingChain{kByMac, "mac"},
                               DroppingChain{kByAddress, "ethertype"},
                               DroppingChain{kByTrunk, "ethertype"},
                               DroppingChain{kArp, "arp"},
                               DroppingChain{kIp, "ipv4"},
                               DroppingChain{kIp6, "ipv6"},
                               DroppingChain{kIcmp6, "icmpv6"},
                               DroppingChain{kAdvertisement, "neighbour-advertisement"},
                               DroppingChain{kUnspecified, "unspecified-source"}};

// IFLA_GROUP of guarded ports. No other program is known to use these numbers.
constexpr std::uint32_t kMacGroup = 28783;
constexpr std::uint32_t kAddressGroup = 28784;
constexpr std::uint32_t kTrunkGroup = 28785;

// Ethernet (IEEE 802.3). The EtherType of a frame with a VLAN tag is the tag's.
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
constexpr nft::Field kTarget{Header::Transport, 8, 16};
constexpr nft::Field kFirstOption{Header::Transport, 24, 2};
constexpr nft::Field kOptionMac{Header::Transport, 26, 6};
constexpr std::array<std::uint8_t, 2> kTargetMacOption{2, 1};
constexpr nft::Field kPayloadLength{Header::Network, 4, 2};
constexpr std::array<std::uint8_t, 2> kWithoutOption{0, 24};
constexpr std::array<std::uint8_t, 2> kWithOneOption{0, 32};

using Fields = std::initializer_list<nft::Field>;

/// The key of the sets: the port's name, then these fields, each padded to whole registers.
Rule& loadKey(Rule& rule, Fields fields) {
  rule.loadIifname(0);
  nft::Register next = IFNAMSIZ / 4;
  for (const nft::Field& field : fields) {
    rule.loadPayload(field, next);
    next += (field.length + 3) / 4;
  }
  return rule;
}

/// Appends rules to a chain. Where the chain is about one EtherType, each rule that reads the network header matches it
/// again: `nft list` could not name the field otherwise.
class Chain {
 public:
  Chain(nft::Transaction& transaction, const char* name, std::span<const std::uint8_t> type = {})
      : transaction_(transaction), name_(name), type_(type) {}

  /// The beginning of a rule.
  Rule here() const {
    Rule rule;
    if (!type_.empty()) rule.protocol(type_);
    return rule;
  }
  void add(const Rule& rule) { transaction_.addRule(table(), name_, rule); }
  void drop(Rule rule = {}) { add(rule.counter().drop()); }
  void dropUnless(Fields fields, const char* set) {
    Rule rule = here();
    loadKey(rule, fields).lookupNot(set, 0);
    drop(std::move(rule));
  }
  void acceptIf(Fields fields, const char* set) { acceptIf(here(), fields, set); }
  void acceptIf(Rule rule, Fields fields, const char* set) { add(loadKey(rule, fields).lookup(set, 0).accept()); }

 private:
  nft::Transaction& transaction_;
  const char* name_;
  std::span<const std::uint8_t> type_;
};

void appendSets(nft::Transaction& transaction) {
  constexpr std::uint32_t kPortAndMac = nft::concat(nft::kIfname, nft::kEtherAddr);
  const auto set = [](const char* name, std::uint32_t type, std::uint32_t length,
                      std::optional<nft::Field> field = std::nullopt) {
    return nft::Set{.name = name, .keyType = type, .keyLength = IFNAMSIZ + length, .rawField = field};
  };
  transaction.addSet(table(), set(kMacs, kPortAndMac, 8));
  transaction.addSet(table(), set(kSenders4, nft::concat(kPortAndMac, nft::kIpv4Addr), 8 + 4));
  transaction.addSet(table(), set(kSenders6, nft::concat(kPortAndMac, nft::kIpv6Addr), 8 + 16));
  transaction.addSet(table(), set(kTargets, nft::concat(nft::kIfname, nft::kInteger), 16, kTarget));
  transaction.addSet(table(), set(kTargetMacs, nft::concat(nft::kIfname, nft::kInteger), 8, kOptionMac));
}

using EtherType = std::span<const std::uint8_t>;

void appendByType(Chain chain, Rule& (*match)(Rule& rule, EtherType type)) {
  for (const auto& [type, next] : {std::pair{EtherType{kTypeIp}, kIp}, {kTypeIp6, kIp6}, {kTypeArp, kArp}}) {
    Rule rule;
    chain.add(match(rule, type).jump(next));
  }
  chain.drop();
}

void appendArp(Chain chain) {
  chain.dropUnless({kSourceMac}, kMacs);
  Rule ofIpv4 = chain.here();
  ofIpv4.payload(kArpKind, kArpOfIpv4);
  chain.acceptIf(std::move(ofIpv4), {kArpMac, kArpAddress}, kSenders4);
  chain.drop();
}

void appendIpv4(Chain chain) {
  chain.drop(std::move(chain.here().l4proto(IPPROTO_UDP).payload(kSourcePort, kDhcpServer)));
  chain.acceptIf({kSourceMac, kSource4}, kSenders4);
  chain.drop();
}

void appendIpv6(Chain chain) {
  chain.drop(std::move(chain.here().l4proto(IPPROTO_UDP).payload(kSourcePort, kDhcp6Server)));
  chain.add(Rule{}.l4proto(IPPROTO_ICMPV6).jump(kIcmp6));
  chain.acceptIf({kSourceMac, kSource6}, kSenders6);
  chain.drop();
}

void appendIcmp6(Chain chain) {
  constexpr std::array<std::uint8_t, 16> kNone{};
  for (const Icmpv6Type type : {Icmpv6Type::MulticastQuery, Icmpv6Type::RouterAdvertisement, Icmpv6Type::Redirect}) {
    chain.drop(std::move(Rule{}.icmpv6Type(type)));
  }
  chain.add(Rule{}.icmpv6Type(Icmpv6Type::NeighbourAdvertisement).jump(kAdvertisement));
  chain.add(chain.here().payload(kSource6, kNone).jump(kUnspecified));
}

/// At most one option: a second one could name another MAC.
void appendAdvertisement(Chain chain) {
  chain.dropUnless({kTarget}, kTargets);
  chain.add(chain.here().payload(kPayloadLength, kWithoutOption).returnToCaller());
  Rule withMac = chain.here();
  withMac.payload(kPayloadLength, kWithOneOption).payload(kFirstOption, kTargetMacOption);
  chain.add(loadKey(withMac, {kOptionMac}).lookup(kTargetMacs, 0).returnToCaller());
  chain.drop();
}

void appendUnspecified(Chain chain) {
  chain.dropUnless({kSourceMac}, kMacs);
  chain.add(Rule{}.icmpv6Type(Icmpv6Type::MulticastReport).accept());
  // Not in one rule with the lookup: newer nft would call the field by a name that does not fit the type of the set.
  chain.drop(std::move(Rule{}.icmpv6TypeNot(Icmpv6Type::NeighbourSolicitation)));
  chain.acceptIf({kTarget}, kTargets);
  chain.drop();
}

/// What from_ipv4 would accept, without a jump; the others go on, and so do those that only look like a DHCP server's.
void appendMostCommon(Chain chain) {
  Rule rule;
  rule.iifgroup(kAddressGroup).payload(kEtherType, kTypeIp).payloadNot(kSourcePort, kDhcpServer);
  chain.acceptIf(std::move(rule), {kSourceMac, kSource4}, kSenders4);
}

nft::Element elementOf(const netlib::IfName& port, std::initializer_list<std::span<const std::uint8_t>> fields) {
  nft::Element element{.key = nft::keyOf(port)};
  for (const auto& bytes : fields) nft::appendPadded(element.key, bytes);
  return element;
}

void addSender(nft::ElementsBySet& elements, const Attachment& attachment, const netlib::IpAddress& address) {
  const netlib::IfName& port = attachment.hostVeth;
  const char* senders = address.isIpv4() ? kSenders4 : kSenders6;
  elements[senders].push_back(elementOf(port, {attachment.containerMac.bytes(), address.bytes()}));
  if (!address.isIpv4()) elements[kTargets].push_back(elementOf(port, {address.bytes()}));
}

}  // namespace

nft::Table table() { return {nft::TableFamily::Bridge, "pons"}; }

std::span<const DroppingChain> droppingChains() { return kDropping; }

void appendGuard(nft::Transaction& transaction) {
  appendSets(transaction);
  for (const DroppingChain& chain : kDropping) transaction.addChain(table(), chain.name);
  Chain{transaction, kByMac}.dropUnless({kSourceMac}, kMacs);
  appendByType({transaction, kByAddress},
               [](Rule& rule, EtherType type) -> Rule& { return rule.payload(kEtherType, type); });
  appendByType({transaction, kByTrunk}, [](Rule& rule, EtherType type) -> Rule& { return rule.protocol(type); });
  appendArp({transaction, kArp, kTypeArp});
  appendIpv4({transaction, kIp, kTypeIp});
  appendIpv6({transaction, kIp6, kTypeIp6});
  appendIcmp6({transaction, kIcmp6, kTypeIp6});
  appendAdvertisement({transaction, kAdvertisement, kTypeIp6});
  appendUnspecified({transaction, kUnspecified});
  transaction.addBaseChain(table(), {.name = kSpoofGuard, .type = "filter", .hook = kPrerouting, .priority = kEarly});
  appendMostCommon({transaction, kSpoofGuard});
  transaction.addRule(table(), kSpoofGuard, Rule{}.iifgroup(kAddressGroup).jump(kByAddress));
  transaction.addRule(table(), kSpoofGuard, Rule{}.iifgroup(kMacGroup).jump(kByMac));
  transaction.addRule(table(), kSpoofGuard, Rule{}.iifgroup(kTrunkGroup).jump(kByTrunk));
}

nft::ElementsBySet elementsOf(const Attachment& attachment) {
  nft::ElementsBySet elements;
  if (attachment.guard == SpoofGuard::None) return elements;
  elements[kMacs] = {elementOf(attachment.hostVeth, {attachment.containerMac.bytes()})};
  if (attachment.guard != SpoofGuard::Address) return elements;
  for (const netlib::IpAddress& address : sourcesOf(attachment)) addSender(elements, attachment, address);
  if (elements.contains(kTargets)) elements[kTargetMacs] = elements[kMacs];
  return elements;
}

nft::ElementsBySet elementsBetween(const Attachment& attachment, const Attachment& other) {
  nft::ElementsBySet elements;
  const bool bothGuarded = attachment.guard == SpoofGuard::Address && other.guard == SpoofGuard::Address;
  if (!bothGuarded || attachment.key == other.key) return elements;
  for (const Lease& lease : other.leases) addSender(elements, attachment, lease.address.address());
  return elements;
}

std::uint32_t groupOf(const Attachment& attachment) {
  if (attachment.guard != SpoofGuard::Address) return attachment.guard == SpoofGuard::Mac ? kMacGroup : 0;
  return attachment.vlans && !attachment.vlans->trunk.empty() ? kTrunkGroup : kAddressGroup;
}

std::string portOf(const nft::Element& element) {
  return {reinterpret_cast<const char*>(element.key.data()),
          strnlen(reinterpret_cast<const char*>(element.key.data()), element.key.size())};
}

}  // namespace pons::guard

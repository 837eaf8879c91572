#include "netlib/nft/rule.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <vector>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlib/nft/expression.h"
#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

constexpr std::uint32_t kPortLength = 2;
constexpr std::uint32_t kDestinationPortOffset = 2;  // the same in TCP, UDP and SCTP

std::uint32_t addressLength(Family family) { return static_cast<std::uint32_t>(bitsOf(family) / 8); }

std::uint32_t addressOffset(Family family, Direction direction) {
  const std::uint32_t source = family == Family::Ipv4 ? 12 : 8;  // in the IP header
  return direction == Direction::Source ? source : source + addressLength(family);
}

}  // namespace

void Rule::Free::operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }

Rule::Rule() : rule_(nftnl_rule_alloc()) {
  if (!rule_) throw std::bad_alloc{};
}
Rule::~Rule() = default;
Rule::Rule(Rule&&) noexcept = default;
Rule& Rule::operator=(Rule&&) noexcept = default;

Rule& Rule::load(Field field, Register to) {
  Expression(*this, "payload")
      .set(NFTNL_EXPR_PAYLOAD_DREG, kernelRegister(to))
      .set(NFTNL_EXPR_PAYLOAD_BASE, static_cast<std::uint32_t>(field.header))
      .set(NFTNL_EXPR_PAYLOAD_OFFSET, field.offset)
      .set(NFTNL_EXPR_PAYLOAD_LEN, field.length);
  return *this;
}

Rule& Rule::loadAddress(Family family, Direction direction, Register to) {
  return load({Header::Network, addressOffset(family, direction), addressLength(family)}, to);
}

Rule& Rule::loadTransportProtocol(Register to) {
  Expression(*this, "meta").set(NFTNL_EXPR_META_KEY, NFT_META_L4PROTO).set(NFTNL_EXPR_META_DREG, kernelRegister(to));
  return *this;
}

Rule& Rule::loadDestinationPort(Register to) {
  return load({Header::Transport, kDestinationPortOffset, kPortLength}, to);
}

Rule& Rule::loadInterfaceName(Interface interface, Register to) {
  Expression(*this, "meta")
      .set(NFTNL_EXPR_META_KEY, interface == Interface::In ? NFT_META_IIFNAME : NFT_META_OIFNAME)
      .set(NFTNL_EXPR_META_DREG, kernelRegister(to));
  return *this;
}

Rule& Rule::address(Direction direction, const IpPrefix& prefix) {
  const Family family = prefix.family();
  loadAddress(family, direction, 0);
  if (prefix.length() != bitsOf(family)) {
    const auto none = IpAddress::fromNumber(family, ~Uint128{0});
    const Uint128 hostBits = prefix.first().number() ^ prefix.last().number();
    masked(0, IpAddress::fromNumber(family, none.number() & ~hostBits).bytes());
  }
  return bytesAre(0, prefix.first().bytes());
}

Rule& Rule::destinationIsLocal() {
  Expression(*this, "fib")
      .set(NFTNL_EXPR_FIB_DREG, kernelRegister(0))
      .set(NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE)
      .set(NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
  const std::uint32_t local = RTN_LOCAL;
  return bytesAre(0, {reinterpret_cast<const std::uint8_t*>(&local), sizeof local});
}

Rule& Rule::transportProtocolIs(std::uint8_t protocol) { return loadTransportProtocol(0).bytesAre(0, {&protocol, 1}); }

Rule& Rule::icmp6Is(Icmp6 type) {
  const auto number = static_cast<std::uint8_t>(type);
  return transportProtocolIs(IPPROTO_ICMPV6).is({Header::Transport, 0, 1}, {&number, 1});
}

Rule& Rule::interfaceGroupIs(std::uint32_t group) {
  Expression(*this, "meta").set(NFTNL_EXPR_META_KEY, NFT_META_IIFGROUP).set(NFTNL_EXPR_META_DREG, kernelRegister(0));
  return bytesAre(0, {reinterpret_cast<const std::uint8_t*>(&group), sizeof group});
}

Rule& Rule::interfaceIs(Interface interface, const std::string& name) {
  std::array<std::uint8_t, IFNAMSIZ> padded{};
  std::ranges::copy(name.substr(0, IFNAMSIZ - 1), padded.begin());
  loadInterfaceName(interface, 0);
  return bytesAre(0, padded);
}

Rule& Rule::destinationWasTranslated(Dialect dialect) {
  if (dialect == Dialect::Iptables) return iptablesConnectionState(XT_CONNTRACK_STATE_DNAT);
  return connectionBits(NFT_CT_STATUS, IPS_DST_NAT);
}

Rule& Rule::connectionIsKnown(Dialect dialect) {
  if (dialect == Dialect::Iptables) {
    return iptablesConnectionState(XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED) | XT_CONNTRACK_STATE_BIT(IP_CT_RELATED));
  }
  constexpr auto bit = [](std::uint32_t state) { return NF_CT_STATE_BIT(state); };
  return connectionBits(NFT_CT_STATE, bit(IP_CT_ESTABLISHED) | bit(IP_CT_RELATED));
}

Rule& Rule::connectionBits(std::uint32_t key, std::uint32_t bits) {
  Expression(*this, "ct").set(NFTNL_EXPR_CT_KEY, key).set(NFTNL_EXPR_CT_DREG, kernelRegister(0));
  masked(0, {reinterpret_cast<const std::uint8_t*>(&bits), sizeof bits});
  return isNotZero(0);
}

Rule& Rule::iptablesConnectionState(std::uint16_t states) {
  constexpr std::uint32_t kRevision = 3;  // the newest: where the states have 16 bits
  // libnftnl takes this one over and frees it.
  void* memory = allocated(std::calloc(1, sizeof(xt_conntrack_mtinfo3)));  // NOLINT(cppcoreguidelines-no-malloc)
  auto* match = new (memory) xt_conntrack_mtinfo3{};
  match->match_flags = XT_CONNTRACK_STATE;
  match->state_mask = states;
  Expression(*this, "match")
      .set(NFTNL_EXPR_MT_NAME, std::string{"conntrack"})
      .set(NFTNL_EXPR_MT_REV, kRevision)
      .set(NFTNL_EXPR_MT_INFO, {static_cast<const std::uint8_t*>(memory), sizeof *match});
  return *this;
}

Rule& Rule::hasConnectionLabel(unsigned label) {
  Expression(*this, "ct").set(NFTNL_EXPR_CT_KEY, NFT_CT_LABELS).set(NFTNL_EXPR_CT_DREG, kernelRegister(0));
  masked(0, labelBits(label));
  return compared(NFT_CMP_NEQ, 0, LabelBits{});
}

Rule& Rule::inSet(const std::string& set, Register from) {
  Expression(*this, "lookup").set(NFTNL_EXPR_LOOKUP_SREG, kernelRegister(from)).set(NFTNL_EXPR_LOOKUP_SET, set);
  return *this;
}

Rule& Rule::notInSet(const std::string& set, Register from) {
  Expression(*this, "lookup")
      .set(NFTNL_EXPR_LOOKUP_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_LOOKUP_SET, set)
      .set(NFTNL_EXPR_LOOKUP_FLAGS, std::uint32_t{NFT_LOOKUP_F_INV});
  return *this;
}

Rule& Rule::map(const std::string& map, Register from, Register to) {
  Expression(*this, "lookup")
      .set(NFTNL_EXPR_LOOKUP_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_LOOKUP_SET, map)
      .set(NFTNL_EXPR_LOOKUP_DREG, kernelRegister(to));
  return *this;
}

Rule& Rule::verdictMap(const std::string& map, Register from) {
  Expression(*this, "lookup")
      .set(NFTNL_EXPR_LOOKUP_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_LOOKUP_SET, map)
      .set(NFTNL_EXPR_LOOKUP_DREG, std::uint32_t{NFT_REG_VERDICT});
  return *this;
}

Rule& Rule::is(Field field, std::span<const std::uint8_t> bytes) { return load(field, 0).bytesAre(0, bytes); }

Rule& Rule::isNot(Field field, std::span<const std::uint8_t> bytes) {
  return load(field, 0).compared(NFT_CMP_NEQ, 0, bytes);
}

Rule& Rule::bytesAre(Register from, std::span<const std::uint8_t> bytes) { return compared(NFT_CMP_EQ, from, bytes); }

Rule& Rule::compared(std::uint32_t how, Register from, std::span<const std::uint8_t> bytes) {
  Expression(*this, "cmp")
      .set(NFTNL_EXPR_CMP_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_CMP_OP, how)
      .set(NFTNL_EXPR_CMP_DATA, bytes);
  return *this;
}

Rule& Rule::masked(Register in, std::span<const std::uint8_t> mask) {
  const std::vector<std::uint8_t> zeros(mask.size());
  Expression(*this, "bitwise")
      .set(NFTNL_EXPR_BITWISE_SREG, kernelRegister(in))
      .set(NFTNL_EXPR_BITWISE_DREG, kernelRegister(in))
      .set(NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL)
      .set(NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()))
      .set(NFTNL_EXPR_BITWISE_MASK, mask)
      .set(NFTNL_EXPR_BITWISE_XOR, zeros);
  return *this;
}

Rule& Rule::isNotZero(Register from) {
  constexpr std::array<std::uint8_t, 4> kZero{};
  return compared(NFT_CMP_NEQ, from, kZero);
}

}  // namespace netlib::nft

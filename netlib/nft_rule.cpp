#include "netlib/nft_rule.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <new>
#include <vector>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlib/nft_objects.h"

namespace netlib::nft {

namespace {

constexpr std::uint32_t kPortLength = 2;
constexpr std::uint32_t kDestinationPortOffset = 2;  // the same in TCP, UDP and SCTP

std::uint32_t addressLength(Family family) { return static_cast<std::uint32_t>(bitsOf(family) / 8); }

std::uint32_t addressOffset(Family family, Direction direction) {
  const std::uint32_t source = family == Family::Ipv4 ? 12 : 8;  // in the IP header
  return direction == Direction::Source ? source : source + addressLength(family);
}

std::uint32_t kernelRegister(Register number) { return NFT_REG32_00 + number; }

}  // namespace

void Rule::Free::operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }

Rule::Rule() : rule_(nftnl_rule_alloc()) {
  if (!rule_) throw std::bad_alloc{};
}
Rule::~Rule() = default;
Rule::Rule(Rule&&) noexcept = default;
Rule& Rule::operator=(Rule&&) noexcept = default;

/// One expression in the making; it becomes the rule's when this object goes.
class Rule::Expression {
 public:
  Expression(Rule& rule, const char* name) : rule_(rule), expression_(nftnl_expr_alloc(name)) {
    if (expression_ == nullptr) throw std::bad_alloc{};
  }
  ~Expression() { nftnl_rule_add_expr(rule_.rule_.get(), expression_); }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  Expression& set(std::uint16_t attribute, std::uint32_t value) {
    nftnl_expr_set_u32(expression_, attribute, value);
    return *this;
  }
  Expression& set(std::uint16_t attribute, const std::string& value) {
    nftnl_expr_set_str(expression_, attribute, value.c_str());
    return *this;
  }
  Expression& set(std::uint16_t attribute, std::span<const std::uint8_t> value) {
    nftnl_expr_set(expression_, attribute, value.data(), static_cast<std::uint32_t>(value.size()));
    return *this;
  }

 private:
  Rule& rule_;
  nftnl_expr* expression_;
};

Rule& Rule::loadAddress(Family family, Direction direction, Register to) {
  Expression(*this, "payload")
      .set(NFTNL_EXPR_PAYLOAD_DREG, kernelRegister(to))
      .set(NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_NETWORK_HEADER)
      .set(NFTNL_EXPR_PAYLOAD_OFFSET, addressOffset(family, direction))
      .set(NFTNL_EXPR_PAYLOAD_LEN, addressLength(family));
  return *this;
}

Rule& Rule::loadTransportProtocol(Register to) {
  Expression(*this, "meta").set(NFTNL_EXPR_META_KEY, NFT_META_L4PROTO).set(NFTNL_EXPR_META_DREG, kernelRegister(to));
  return *this;
}

Rule& Rule::loadDestinationPort(Register to) {
  Expression(*this, "payload")
      .set(NFTNL_EXPR_PAYLOAD_DREG, kernelRegister(to))
      .set(NFTNL_EXPR_PAYLOAD_BASE, NFT_PAYLOAD_TRANSPORT_HEADER)
      .set(NFTNL_EXPR_PAYLOAD_OFFSET, kDestinationPortOffset)
      .set(NFTNL_EXPR_PAYLOAD_LEN, kPortLength);
  return *this;
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

Rule& Rule::inSet(const std::string& set, Register from) {
  Expression(*this, "lookup").set(NFTNL_EXPR_LOOKUP_SREG, kernelRegister(from)).set(NFTNL_EXPR_LOOKUP_SET, set);
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

Rule& Rule::verdict(int code, const std::string* chain) {
  Expression immediate(*this, "immediate");
  immediate.set(NFTNL_EXPR_IMM_DREG, std::uint32_t{NFT_REG_VERDICT})
      .set(NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
  if (chain != nullptr) immediate.set(NFTNL_EXPR_IMM_CHAIN, *chain);
  return *this;
}

Rule& Rule::jump(const std::string& chain) { return verdict(NFT_JUMP, &chain); }
Rule& Rule::returnToCaller() { return verdict(NFT_RETURN, nullptr); }
Rule& Rule::accept() { return verdict(NF_ACCEPT, nullptr); }
Rule& Rule::drop() { return verdict(NF_DROP, nullptr); }

Rule& Rule::masquerade() {
  const Expression masquerading(*this, "masq");
  return *this;
}

Rule& Rule::trackInZone(std::uint16_t zone) {
  constexpr std::array<std::uint8_t, 1> kOriginal{IP_CT_DIR_ORIGINAL};
  Expression(*this, "immediate")
      .set(NFTNL_EXPR_IMM_DREG, kernelRegister(0))
      .set(NFTNL_EXPR_IMM_DATA, {reinterpret_cast<const std::uint8_t*>(&zone), sizeof zone});
  Expression(*this, "ct")
      .set(NFTNL_EXPR_CT_KEY, NFT_CT_ZONE)
      .set(NFTNL_EXPR_CT_SREG, kernelRegister(0))
      .set(NFTNL_EXPR_CT_DIR, kOriginal);
  return *this;
}

Rule& Rule::translateDestination(Family family, Register address, Register port) {
  Expression(*this, "nat")
      .set(NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT)
      .set(NFTNL_EXPR_NAT_FAMILY, static_cast<std::uint32_t>(family))
      .set(NFTNL_EXPR_NAT_REG_ADDR_MIN, kernelRegister(address))
      .set(NFTNL_EXPR_NAT_REG_PROTO_MIN, kernelRegister(port));
  return *this;
}

Rule& Rule::comment(const std::string& text) {
  const auto userData = commentData(text);
  nftnl_rule_set_data(rule_.get(), NFTNL_RULE_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
  return *this;
}

Rule& Rule::bytesAre(Register from, std::span<const std::uint8_t> bytes) {
  Expression(*this, "cmp")
      .set(NFTNL_EXPR_CMP_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_CMP_OP, NFT_CMP_EQ)
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
  Expression(*this, "cmp")
      .set(NFTNL_EXPR_CMP_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_CMP_OP, NFT_CMP_NEQ)
      .set(NFTNL_EXPR_CMP_DATA, kZero);
  return *this;
}

}  // namespace netlib::nft

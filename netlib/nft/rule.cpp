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

constexpr Field kDport{Header::Transport, 2, 2};  // the same in TCP, UDP and SCTP
constexpr Field kIcmpType{Header::Transport, 0, 1};

static_assert(kEstablished == NF_CT_STATE_BIT(IP_CT_ESTABLISHED) && kRelated == NF_CT_STATE_BIT(IP_CT_RELATED));
static_assert(kEstablished == XT_CONNTRACK_STATE_BIT(IP_CT_ESTABLISHED));  // the same bits in both dialects
static_assert(kDnat == std::uint32_t{IPS_DST_NAT} && static_cast<int>(AddressType::Local) == RTN_LOCAL);

std::uint32_t addressLength(Family family) { return static_cast<std::uint32_t>(bitsOf(family) / 8); }

// In the IP header.
std::uint32_t saddrOffset(Family family) { return family == Family::Ipv4 ? 12 : 8; }
std::uint32_t daddrOffset(Family family) { return saddrOffset(family) + addressLength(family); }

IpAddress maskOf(Family family, int prefixLength) {
  const IpPrefix prefix = *IpPrefix::of(IpAddress::unspecified(family), prefixLength);
  return IpAddress::fromNumber(family, ~prefix.last().number());
}

std::span<const std::uint8_t> bytesOf(const std::uint32_t& number) {
  return {reinterpret_cast<const std::uint8_t*>(&number), sizeof number};
}

}  // namespace

void Rule::Free::operator()(nftnl_rule* rule) const { nftnl_rule_free(rule); }

Rule::Rule() : rule_(nftnl_rule_alloc()) {
  if (!rule_) throw std::bad_alloc{};
}
Rule::~Rule() = default;
Rule::Rule(Rule&&) noexcept = default;
Rule& Rule::operator=(Rule&&) noexcept = default;

Rule& Rule::loadPayload(Field field, Register to) {
  Expression(*this, "payload")
      .set(NFTNL_EXPR_PAYLOAD_DREG, kernelRegister(to))
      .set(NFTNL_EXPR_PAYLOAD_BASE, static_cast<std::uint32_t>(field.header))
      .set(NFTNL_EXPR_PAYLOAD_OFFSET, field.offset)
      .set(NFTNL_EXPR_PAYLOAD_LEN, field.length);
  return *this;
}

Rule& Rule::meta(std::uint32_t key, Register to) {
  Expression(*this, "meta").set(NFTNL_EXPR_META_KEY, key).set(NFTNL_EXPR_META_DREG, kernelRegister(to));
  return *this;
}

Rule& Rule::loadSaddr(Family family, Register to) {
  return loadPayload({Header::Network, saddrOffset(family), addressLength(family)}, to);
}
Rule& Rule::loadDaddr(Family family, Register to) {
  return loadPayload({Header::Network, daddrOffset(family), addressLength(family)}, to);
}
Rule& Rule::masked(Family family, int prefixLength, Register number) {
  return prefixLength == bitsOf(family) ? *this : bitwiseAnd(maskOf(family, prefixLength).bytes(), number);
}
Rule& Rule::loadSaddr(Family family, int prefixLength, Register to) {
  return loadSaddr(family, to).masked(family, prefixLength, to);
}
Rule& Rule::loadDaddr(Family family, int prefixLength, Register to) {
  return loadDaddr(family, to).masked(family, prefixLength, to);
}
Rule& Rule::loadL4proto(Register to) { return meta(NFT_META_L4PROTO, to); }
Rule& Rule::loadDport(Register to) { return loadPayload(kDport, to); }
Rule& Rule::loadIifname(Register to) { return meta(NFT_META_IIFNAME, to); }
Rule& Rule::loadOifname(Register to) { return meta(NFT_META_OIFNAME, to); }

Rule& Rule::loadCtOriginal(std::uint32_t key, Register to) {
  constexpr std::array<std::uint8_t, 1> kOriginal{IP_CT_DIR_ORIGINAL};
  Expression(*this, "ct")
      .set(NFTNL_EXPR_CT_KEY, key)
      .set(NFTNL_EXPR_CT_DREG, kernelRegister(to))
      .set(NFTNL_EXPR_CT_DIR, kOriginal);
  return *this;
}
Rule& Rule::loadCtOriginalDaddr(Family family, Register to) {
  return loadCtOriginal(family == Family::Ipv4 ? NFT_CT_DST_IP : NFT_CT_DST_IP6, to);
}
Rule& Rule::loadCtOriginalDaddr(Family family, int prefixLength, Register to) {
  return loadCtOriginalDaddr(family, to).masked(family, prefixLength, to);
}
Rule& Rule::loadCtOriginalDport(Register to) { return loadCtOriginal(NFT_CT_PROTO_DST, to); }

Rule& Rule::saddr(const IpPrefix& prefix) { return address(prefix, saddrOffset(prefix.family())); }
Rule& Rule::daddr(const IpPrefix& prefix) { return address(prefix, daddrOffset(prefix.family())); }

Rule& Rule::address(const IpPrefix& prefix, std::uint32_t offset) {
  const Family family = prefix.family();
  loadPayload({Header::Network, offset, addressLength(family)}, 0);
  masked(family, prefix.length(), 0);
  return cmp(NFT_CMP_EQ, prefix.first().bytes());
}

Rule& Rule::fibDaddrType(AddressType type) {
  Expression(*this, "fib")
      .set(NFTNL_EXPR_FIB_DREG, kernelRegister(0))
      .set(NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE)
      .set(NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
  return cmp(NFT_CMP_EQ, bytesOf(static_cast<std::uint32_t>(type)));
}

Rule& Rule::protocol(std::span<const std::uint8_t> etherType) {
  return meta(NFT_META_PROTOCOL, 0).cmp(NFT_CMP_EQ, etherType);
}

Rule& Rule::l4proto(std::uint8_t protocol) { return loadL4proto(0).cmp(NFT_CMP_EQ, {&protocol, 1}); }

Rule& Rule::icmpv6Type(Icmpv6Type type) {
  const auto number = static_cast<std::uint8_t>(type);
  return l4proto(IPPROTO_ICMPV6).payload(kIcmpType, {&number, 1});
}
Rule& Rule::icmpv6TypeNot(Icmpv6Type type) {
  const auto number = static_cast<std::uint8_t>(type);
  return l4proto(IPPROTO_ICMPV6).payloadNot(kIcmpType, {&number, 1});
}

Rule& Rule::iifgroup(std::uint32_t group) { return meta(NFT_META_IIFGROUP, 0).cmp(NFT_CMP_EQ, bytesOf(group)); }

Rule& Rule::iifname(const std::string& name) { return interfaceName(NFT_META_IIFNAME, name); }
Rule& Rule::oifname(const std::string& name) { return interfaceName(NFT_META_OIFNAME, name); }

Rule& Rule::interfaceName(std::uint32_t key, const std::string& name) {
  std::array<std::uint8_t, IFNAMSIZ> padded{};
  std::ranges::copy(name.substr(0, IFNAMSIZ - 1), padded.begin());
  return meta(key, 0).cmp(NFT_CMP_EQ, padded);
}

Rule& Rule::ctState(std::uint32_t states, Dialect dialect) {
  if (dialect == Dialect::Iptables) return xtConntrack(static_cast<std::uint16_t>(states));
  return ctBits(NFT_CT_STATE, states);
}

Rule& Rule::ctStatus(CtStatus status, Dialect dialect) {
  if (dialect == Dialect::Iptables) return xtConntrack(XT_CONNTRACK_STATE_DNAT);
  return ctBits(NFT_CT_STATUS, status);
}

Rule& Rule::ctBits(std::uint32_t key, std::uint32_t bits) {
  Expression(*this, "ct").set(NFTNL_EXPR_CT_KEY, key).set(NFTNL_EXPR_CT_DREG, kernelRegister(0));
  return bitwiseAnd(bytesOf(bits)).cmp(NFT_CMP_NEQ, std::array<std::uint8_t, sizeof bits>{});
}

Rule& Rule::xtConntrack(std::uint16_t states) {
  constexpr std::uint32_t kRevision = 3;  // the newest, with 16 bits of states
  // libnftnl frees it.
  void* memory = allocated(std::calloc(1, sizeof(xt_conntrack_mtinfo3)));  // NOLINT(cppcoreguidelines-no-malloc)
  auto* match = new (memory) xt_conntrack_mtinfo3{};
  match->match_flags = XT_CONNTRACK_STATE;
  match->state_mask = states;
  Expression(*this, "match")  // NOLINT(clang-analyzer-unix.Malloc)
      .set(NFTNL_EXPR_MT_NAME, std::string{"conntrack"})
      .set(NFTNL_EXPR_MT_REV, kRevision)
      .set(NFTNL_EXPR_MT_INFO, {static_cast<const std::uint8_t*>(memory), sizeof *match});
  return *this;
}

Rule& Rule::ctLabel(unsigned label) {
  Expression(*this, "ct").set(NFTNL_EXPR_CT_KEY, NFT_CT_LABELS).set(NFTNL_EXPR_CT_DREG, kernelRegister(0));
  return bitwiseAnd(labelBits(label)).cmp(NFT_CMP_NEQ, LabelBits{});
}

Rule& Rule::lookup(const std::string& set, Register from) { return lookup(set, from, std::nullopt, 0); }
Rule& Rule::lookupNot(const std::string& set, Register from) {
  return lookup(set, from, std::nullopt, NFT_LOOKUP_F_INV);
}
Rule& Rule::map(const std::string& map, Register from, Register to) { return lookup(map, from, kernelRegister(to), 0); }
Rule& Rule::vmap(const std::string& map, Register from) { return lookup(map, from, NFT_REG_VERDICT, 0); }

Rule& Rule::object(const std::string& map, Register from) {
  Expression(*this, "objref")
      .set(NFTNL_EXPR_OBJREF_SET_SREG, kernelRegister(from))
      .set(NFTNL_EXPR_OBJREF_SET_NAME, map);
  return *this;
}

Rule& Rule::lookup(const std::string& set, Register from, std::optional<std::uint32_t> to, std::uint32_t flags) {
  Expression lookup(*this, "lookup");
  lookup.set(NFTNL_EXPR_LOOKUP_SREG, kernelRegister(from)).set(NFTNL_EXPR_LOOKUP_SET, set);
  if (to) lookup.set(NFTNL_EXPR_LOOKUP_DREG, *to);
  lookup.set(NFTNL_EXPR_LOOKUP_FLAGS, flags);
  return *this;
}

Rule& Rule::payload(Field field, std::span<const std::uint8_t> bytes) {
  return loadPayload(field, 0).cmp(NFT_CMP_EQ, bytes);
}
Rule& Rule::payloadNot(Field field, std::span<const std::uint8_t> bytes) {
  return loadPayload(field, 0).cmp(NFT_CMP_NEQ, bytes);
}

Rule& Rule::cmp(std::uint32_t operation, std::span<const std::uint8_t> bytes) {
  Expression(*this, "cmp")
      .set(NFTNL_EXPR_CMP_SREG, kernelRegister(0))
      .set(NFTNL_EXPR_CMP_OP, operation)
      .set(NFTNL_EXPR_CMP_DATA, bytes);
  return *this;
}

Rule& Rule::bitwiseAnd(std::span<const std::uint8_t> mask, Register number) {
  const std::vector<std::uint8_t> zeros(mask.size());
  Expression(*this, "bitwise")
      .set(NFTNL_EXPR_BITWISE_SREG, kernelRegister(number))
      .set(NFTNL_EXPR_BITWISE_DREG, kernelRegister(number))
      .set(NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL)
      .set(NFTNL_EXPR_BITWISE_LEN, static_cast<std::uint32_t>(mask.size()))
      .set(NFTNL_EXPR_BITWISE_MASK, mask)
      .set(NFTNL_EXPR_BITWISE_XOR, zeros);
  return *this;
}

}  // namespace netlib::nft

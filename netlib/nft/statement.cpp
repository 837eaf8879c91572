// Statements of nft(8): what a rule does with the packets that match.
#include <array>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>

#include "netlib/nft/expression.h"
#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

constexpr std::uint8_t kPacketFiltered = 13;   // ICMP_PKT_FILTERED of <linux/icmp.h>
constexpr std::uint8_t kAdminProhibited6 = 1;  // ICMPV6_ADM_PROHIBITED of <linux/icmpv6.h>

}  // namespace

Rule& Rule::immediateVerdict(int code, const std::string* chain) {
  Expression immediate(*this, "immediate");
  immediate.set(NFTNL_EXPR_IMM_DREG, std::uint32_t{NFT_REG_VERDICT})
      .set(NFTNL_EXPR_IMM_VERDICT, static_cast<std::uint32_t>(code));
  if (chain != nullptr) immediate.set(NFTNL_EXPR_IMM_CHAIN, *chain);
  return *this;
}

Rule& Rule::jump(const std::string& chain) { return immediateVerdict(NFT_JUMP, &chain); }
Rule& Rule::returnToCaller() { return immediateVerdict(NFT_RETURN, nullptr); }
Rule& Rule::accept() { return immediateVerdict(NF_ACCEPT, nullptr); }
Rule& Rule::drop() { return immediateVerdict(NF_DROP, nullptr); }

Rule& Rule::rejectWithReset() {
  Expression(*this, "reject").set(NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_TCP_RST);
  return *this;
}

Rule& Rule::rejectAsProhibited(Family family) {
  // An attribute of 8 bits.
  const std::array<std::uint8_t, 1> code{family == Family::Ipv4 ? kPacketFiltered : kAdminProhibited6};
  Expression(*this, "reject").set(NFTNL_EXPR_REJECT_TYPE, NFT_REJECT_ICMP_UNREACH).set(NFTNL_EXPR_REJECT_CODE, code);
  return *this;
}

Rule& Rule::masquerade() {
  const Expression masq(*this, "masq");
  return *this;
}

Rule& Rule::ctZoneSet(std::uint16_t zone) {
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

Rule& Rule::ctLabelSet(unsigned label, Register scratch) {
  Expression(*this, "immediate")
      .set(NFTNL_EXPR_IMM_DREG, kernelRegister(scratch))
      .set(NFTNL_EXPR_IMM_DATA, labelBits(label));
  Expression(*this, "ct").set(NFTNL_EXPR_CT_KEY, NFT_CT_LABELS).set(NFTNL_EXPR_CT_SREG, kernelRegister(scratch));
  return *this;
}

Rule& Rule::dnat(Family family, Register address, Register port) {
  constexpr std::uint32_t kFlags = NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED;
  Expression(*this, "nat")
      .set(NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT)
      .set(NFTNL_EXPR_NAT_FAMILY, static_cast<std::uint32_t>(family))
      .set(NFTNL_EXPR_NAT_REG_ADDR_MIN, kernelRegister(address))
      .set(NFTNL_EXPR_NAT_REG_ADDR_MAX, kernelRegister(address))
      .set(NFTNL_EXPR_NAT_REG_PROTO_MIN, kernelRegister(port))
      .set(NFTNL_EXPR_NAT_REG_PROTO_MAX, kernelRegister(port))
      .set(NFTNL_EXPR_NAT_FLAGS, kFlags);
  return *this;
}

Rule& Rule::comment(const std::string& text) {
  const auto userData = commentData(text);
  nftnl_rule_set_data(rule_.get(), NFTNL_RULE_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
  room_ += roomOfAttribute(userData.size());
  return *this;
}

Rule& Rule::limit(std::uint64_t packets, LimitUnit unit) {
  Expression(*this, "limit")
      .setLong(NFTNL_EXPR_LIMIT_RATE, packets)
      .setLong(NFTNL_EXPR_LIMIT_UNIT, static_cast<std::uint64_t>(unit))
      .set(NFTNL_EXPR_LIMIT_BURST, static_cast<std::uint32_t>(packets))
      .set(NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS)
      .set(NFTNL_EXPR_LIMIT_FLAGS, std::uint32_t{0});
  return *this;
}

Rule& Rule::log(const std::string& prefix) {
  constexpr std::size_t kMaxPrefix = 127;  // NF_LOG_PREFIXLEN less the terminator
  constexpr std::uint32_t kWarning = 4;    // LOGLEVEL_WARNING, the kernel's default
  Expression(*this, "log").set(NFTNL_EXPR_LOG_PREFIX, prefix.substr(0, kMaxPrefix)).set(NFTNL_EXPR_LOG_LEVEL, kWarning);
  return *this;
}

Rule& Rule::counter() {
  Expression(*this, "counter").setLong(NFTNL_EXPR_CTR_PACKETS, 0).setLong(NFTNL_EXPR_CTR_BYTES, 0);
  return *this;
}

}  // namespace netlib::nft

#include "netlib/nft/rule_match.h"

#include <cstdio>  // libnftnl/expr.h needs FILE

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/if.h>

#include "netlib/nft/objects.h"

namespace netlib::nft {

using filter::Match;
using filter::Verdict;

namespace {

Verdict verdictOf(std::uint32_t code) {
  switch (static_cast<std::int32_t>(code)) {
    case NF_ACCEPT:
      return Verdict::Accept;
    case NF_DROP:
      return Verdict::Drop;
    case NFT_JUMP:
      return Verdict::Jump;
    case NFT_GOTO:
      return Verdict::Goto;
    case NFT_RETURN:
      return Verdict::Return;
    default:
      return Verdict::Continue;
  }
}

std::string textOf(const nftnl_expr& expression, std::uint16_t attribute) {
  const char* text = nftnl_expr_get_str(&expression, attribute);
  return text == nullptr ? std::string{} : text;
}

std::span<const std::uint8_t> dataOf(const nftnl_expr& expression, std::uint16_t attribute) {
  std::uint32_t length = 0;
  const auto* data = static_cast<const std::uint8_t*>(nftnl_expr_get(&expression, attribute, &length));
  return data == nullptr ? std::span<const std::uint8_t>{} : std::span{data, length};
}

std::uint32_t numberOf(const nftnl_expr& expression, std::uint16_t attribute) {
  return nftnl_expr_get_u32(&expression, attribute);
}

template <class T>
std::vector<Byte> bytesOf(const T& number, bool ofInterface = false) {
  return knownBytes({reinterpret_cast<const std::uint8_t*>(&number), sizeof number}, ofInterface);
}

std::vector<Byte> nameBytes(const std::string& name) {
  if (name.empty()) return std::vector<Byte>(IFNAMSIZ);
  std::array<std::uint8_t, IFNAMSIZ> padded{};
  std::copy_n(name.begin(), std::min<std::size_t>(name.size(), IFNAMSIZ - 1), padded.begin());
  return knownBytes(padded, true);
}

/// The IP header: its addresses.
std::vector<Byte> headerOf(const filter::Packet& packet) {
  constexpr std::size_t kLongest = 60;
  std::vector<Byte> header(kLongest);
  if (!packet.family) return header;
  const bool isIpv4 = *packet.family == Family::Ipv4;
  const auto put = [&header](const std::optional<IpAddress>& address, std::size_t offset) {
    if (address) std::ranges::copy(knownBytes(address->bytes(), true), header.begin() + static_cast<long>(offset));
  };
  put(packet.source, isIpv4 ? 12 : 8);
  put(packet.destination, isIpv4 ? 16 : 24);
  return header;
}

class Evaluation {
 public:
  Evaluation(const filter::Packet& packet, const SetOf& setOf) : packet_(packet), setOf_(setOf) {}

  void add(const nftnl_expr& expression) {
    constexpr std::array<std::string_view, 4> kUnconditional{"counter", "log", "notrack", "last"};
    const std::string name = textOf(expression, NFTNL_EXPR_NAME);
    if (name == "meta") return addMeta(expression);
    if (name == "payload") return addPayload(expression);
    if (name == "ct") return addCt(expression);
    if (name == "bitwise") return addBitwise(expression);
    if (name == "cmp") return addCmp(expression);
    if (name == "range") return addRange(expression);
    if (name == "lookup") return addLookup(expression);
    if (name == "immediate") return addImmediate(expression);
    if (name == "match") return addXtMatch(expression);
    if (name == "reject") return setVerdict(Verdict::Drop);
    if (name == "target") {  // of xtables; others (LOG, MARK) continue
      if (textOf(expression, NFTNL_EXPR_TG_NAME) == "REJECT") setVerdict(Verdict::Drop);
      return;
    }
    if (std::ranges::find(kUnconditional, name) != kUnconditional.end()) return;
    registers_.forgetAll();  // it may have written some
    require(Match::Unknown, {});
  }

  EvaluatedRule result{{}, Match::Yes};

 private:
  void setVerdict(Verdict verdict, std::string target = {}) {
    result.rule.verdict = verdict;
    result.rule.target = std::move(target);
  }

  void require(Match match, Bytes tested) {
    result.match = std::min(result.match, match);
    if (match == Match::Unknown) result.rule.conditional = true;
    result.rule.isNamed |= match == Match::Yes && std::ranges::any_of(tested, &Byte::ofInterface);
  }

  void addMeta(const nftnl_expr& expression) {
    if (nftnl_expr_is_set(&expression, NFTNL_EXPR_META_SREG)) return;  // "meta mark set"
    registers_.load(numberOf(expression, NFTNL_EXPR_META_DREG), metaOf(numberOf(expression, NFTNL_EXPR_META_KEY)));
  }

  std::vector<Byte> metaOf(std::uint32_t key) const {
    constexpr std::size_t kLongest = 16;
    if (key == NFT_META_IIFNAME) return nameBytes(packet_.iifname);
    if (key == NFT_META_OIFNAME) return nameBytes(packet_.oifname);
    if (key == NFT_META_IIF && packet_.iif != 0) return bytesOf(packet_.iif, true);
    if (key == NFT_META_OIF && packet_.oif != 0) return bytesOf(packet_.oif, true);
    if (key == NFT_META_NFPROTO && packet_.family) return bytesOf(static_cast<std::uint8_t>(*packet_.family));
    if (key == NFT_META_PROTOCOL && packet_.family) {
      constexpr std::array<std::uint8_t, 2> kIpv4{0x08, 0x00};  // ETH_P_IP and ETH_P_IPV6, big-endian
      constexpr std::array<std::uint8_t, 2> kIpv6{0x86, 0xdd};
      return knownBytes(*packet_.family == Family::Ipv4 ? kIpv4 : kIpv6);
    }
    return std::vector<Byte>(kLongest);
  }

  void addPayload(const nftnl_expr& expression) {
    if (nftnl_expr_is_set(&expression, NFTNL_EXPR_PAYLOAD_SREG)) return;
    const std::size_t offset = numberOf(expression, NFTNL_EXPR_PAYLOAD_OFFSET);
    const std::size_t length = std::min<std::size_t>(numberOf(expression, NFTNL_EXPR_PAYLOAD_LEN), NFT_REG_SIZE * 4);
    std::vector<Byte> bytes(length);
    const std::vector<Byte> header = headerOf(packet_);
    const bool isIp = numberOf(expression, NFTNL_EXPR_PAYLOAD_BASE) == std::uint32_t{NFT_PAYLOAD_NETWORK_HEADER};
    for (std::size_t i = 0; isIp && i < length && offset + i < header.size(); ++i) bytes[i] = header[offset + i];
    registers_.load(numberOf(expression, NFTNL_EXPR_PAYLOAD_DREG), std::move(bytes));
  }

  void addCt(const nftnl_expr& expression) {
    if (nftnl_expr_is_set(&expression, NFTNL_EXPR_CT_SREG)) return;
    constexpr std::size_t kLongest = 16;
    const std::uint32_t key = numberOf(expression, NFTNL_EXPR_CT_KEY);
    std::vector<Byte> bytes(kLongest);
    if (packet_.ctState != 0 && key == NFT_CT_STATE) bytes = bytesOf(packet_.ctState);
    if (packet_.ctState != 0 && key == NFT_CT_STATUS) {
      constexpr std::uint32_t kKnown = IPS_DST_NAT;
      bytes = bytesOf(packet_.isDnat ? kKnown : 0U);
      const auto known = bytesOf(kKnown);
      for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i].known = known[i].value;
    }
    registers_.load(numberOf(expression, NFTNL_EXPR_CT_DREG), std::move(bytes));
  }

  void addBitwise(const nftnl_expr& expression) {
    const auto mask = dataOf(expression, NFTNL_EXPR_BITWISE_MASK);
    const auto toggled = dataOf(expression, NFTNL_EXPR_BITWISE_XOR);
    const Bytes source = registers_.at(numberOf(expression, NFTNL_EXPR_BITWISE_SREG), mask.size());
    if (mask.empty() || toggled.size() != mask.size() || source.size() != mask.size()) {  // a shift
      registers_.forgetAll();
      return;
    }
    std::vector<Byte> bytes(source.begin(), source.end());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      bytes[i].value = static_cast<std::uint8_t>((bytes[i].value & mask[i]) ^ toggled[i]);
      bytes[i].known = static_cast<std::uint8_t>(bytes[i].known | ~mask[i]);
    }
    registers_.load(numberOf(expression, NFTNL_EXPR_BITWISE_DREG), std::move(bytes));
  }

  void addCmp(const nftnl_expr& expression) {
    const auto wanted = dataOf(expression, NFTNL_EXPR_CMP_DATA);
    const Bytes have = registers_.at(numberOf(expression, NFTNL_EXPR_CMP_SREG), wanted.size());
    const std::uint32_t operation = numberOf(expression, NFTNL_EXPR_CMP_OP);
    if (operation == NFT_CMP_EQ) return require(equals(have, wanted), have);
    if (operation == NFT_CMP_NEQ) return require(inverted(equals(have, wanted)), have);
    const auto order = compare(have, wanted);
    if (!order) return require(Match::Unknown, have);
    const bool less = operation == NFT_CMP_LT || operation == NFT_CMP_LTE;
    const bool orEqual = operation == NFT_CMP_LTE || operation == NFT_CMP_GTE;
    const bool matches = (orEqual && *order == 0) || (less ? *order < 0 : *order > 0);
    require(matches ? Match::Yes : Match::No, have);
  }

  void addRange(const nftnl_expr& expression) {
    const auto from = dataOf(expression, NFTNL_EXPR_RANGE_FROM_DATA);
    const auto to = dataOf(expression, NFTNL_EXPR_RANGE_TO_DATA);
    const Bytes have = registers_.at(numberOf(expression, NFTNL_EXPR_RANGE_SREG), from.size());
    const auto withFrom = compare(have, from);
    const auto withTo = compare(have, to);
    if (!withFrom || !withTo) return require(Match::Unknown, have);
    const Match match = *withFrom >= 0 && *withTo <= 0 ? Match::Yes : Match::No;
    require(numberOf(expression, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ ? inverted(match) : match, have);
  }

  void addLookup(const nftnl_expr& expression) {
    constexpr std::size_t kLongest = 64;
    const std::uint32_t from = numberOf(expression, NFTNL_EXPR_LOOKUP_SREG);
    const std::string name = textOf(expression, NFTNL_EXPR_LOOKUP_SET);
    const bool isKnown =
        std::ranges::any_of(registers_.at(from, kLongest), [](const Byte& byte) { return byte.known != 0; });
    const LookupSet* set = isKnown ? setOf_(name) : nullptr;
    const Bytes key = registers_.at(from, set == nullptr ? 0 : set->keyLength());
    const auto found = set == nullptr ? LookupSet::Found{Match::Unknown} : set->find(key);
    const bool isInverted = nftnl_expr_is_set(&expression, NFTNL_EXPR_LOOKUP_FLAGS) &&
                            (numberOf(expression, NFTNL_EXPR_LOOKUP_FLAGS) & std::uint32_t{NFT_LOOKUP_F_INV}) != 0;
    require(isInverted ? inverted(found.match) : found.match, key);
    if (found.match == Match::Yes && std::ranges::any_of(key, &Byte::ofInterface)) result.rule.set = name;
    if (nftnl_expr_is_set(&expression, NFTNL_EXPR_LOOKUP_DREG)) {
      loadFound(numberOf(expression, NFTNL_EXPR_LOOKUP_DREG), found.element);
    }
  }

  /// What a map has for the key; null if that is not known.
  void loadFound(std::uint32_t to, const LookupSet::Element* element) {
    if (to != NFT_REG_VERDICT) {
      constexpr std::size_t kLongest = 16;
      registers_.load(to, element == nullptr ? std::vector<Byte>(kLongest) : knownBytes(element->data));
    } else if (element == nullptr) {
      setVerdict(Verdict::Jump);
    } else {
      setVerdict(verdictOf(element->verdict.value_or(static_cast<std::uint32_t>(NFT_CONTINUE))), element->chain);
    }
  }

  void addImmediate(const nftnl_expr& expression) {
    const std::uint32_t to = numberOf(expression, NFTNL_EXPR_IMM_DREG);
    if (to != NFT_REG_VERDICT) return registers_.load(to, knownBytes(dataOf(expression, NFTNL_EXPR_IMM_DATA)));
    setVerdict(verdictOf(numberOf(expression, NFTNL_EXPR_IMM_VERDICT)), textOf(expression, NFTNL_EXPR_IMM_CHAIN));
  }

  /// Of x_tables, which iptables-nft uses. Those on interfaces and addresses are expressions of nf_tables.
  void addXtMatch(const nftnl_expr& expression) {
    constexpr std::uint32_t kRevision = 3;
    const std::string name = textOf(expression, NFTNL_EXPR_MT_NAME);
    const auto info = dataOf(expression, NFTNL_EXPR_MT_INFO);
    if (name == "comment") {
      const std::string text(info.begin(), info.end());
      result.rule.comment = text.substr(0, text.find('\0'));
    } else if (name == "conntrack" && numberOf(expression, NFTNL_EXPR_MT_REV) == kRevision) {
      require(filter::matchOfXtConntrack(info, packet_), {});
    } else {
      require(Match::Unknown, {});
    }
  }

  const filter::Packet& packet_;
  const SetOf& setOf_;
  Registers registers_;
};

}  // namespace

EvaluatedRule evaluate(nftnl_rule& listed, const filter::Packet& packet, const SetOf& setOf) {
  Evaluation evaluation{packet, setOf};
  filter::Rule& rule = evaluation.result.rule;
  rule.handle = nftnl_rule_get_u64(&listed, NFTNL_RULE_HANDLE);
  std::uint32_t length = 0;
  const void* userData = nftnl_rule_get_data(&listed, NFTNL_RULE_USERDATA, &length);
  if (userData != nullptr) rule.comment = commentIn({static_cast<const std::uint8_t*>(userData), length});
  const Owned<nftnl_expr_iter, nftnl_expr_iter_destroy> expressions{allocated(nftnl_expr_iter_create(&listed))};
  while (const nftnl_expr* expression = nftnl_expr_iter_next(expressions.get())) evaluation.add(*expression);
  return evaluation.result;
}

}  // namespace netlib::nft

// An expression that is being added to a rule. Only for rule.cpp and statement.cpp.
#pragma once

#include <array>
#include <bit>
#include <new>
#include <span>
#include <string>

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter/nf_tables.h>

#include "netlib/netlink/message.h"
#include "netlib/nft/rule.h"

namespace netlib::nft {

/// As the kernel lists it: where one of the 4 registers of 16 bytes begins, that one (nft_dump_register()).
inline std::uint32_t kernelRegister(Register number) {
  constexpr Register kPerLongRegister = NFT_REG_SIZE / NFT_REG32_SIZE;
  return number % kPerLongRegister == 0 ? NFT_REG_1 + number / kPerLongRegister : NFT_REG32_00 + number;
}

/// All labels of a connection: an integer of 128 bits in host byte order, as in nft.
using LabelBits = std::array<std::uint8_t, 16>;

/// With this label only.
inline LabelBits labelBits(unsigned label) {
  LabelBits bits{};
  const std::size_t fromLowest = label / 8;
  bits.at(std::endian::native == std::endian::little ? fromLowest : bits.size() - 1 - fromLowest) =
      static_cast<std::uint8_t>(1U << label % 8);
  return bits;
}

/// The destructor appends it to the rule, which then owns it. It has every attribute that the kernel would fill in, so
/// that what is listed is what was written: see content.h.
class Rule::Expression {
 public:
  Expression(Rule& rule, const char* name) : rule_(rule), expression_(nftnl_expr_alloc(name)) {
    if (expression_ == nullptr) throw std::bad_alloc{};
  }
  ~Expression() {
    rule_.room_ += room_;
    nftnl_rule_add_expr(rule_.rule_.get(), expression_);
  }
  Expression(const Expression&) = delete;
  Expression& operator=(const Expression&) = delete;

  Expression& set(std::uint16_t attribute, std::uint32_t value) {
    nftnl_expr_set_u32(expression_, attribute, value);
    return counted(sizeof value);
  }
  Expression& setLong(std::uint16_t attribute, std::uint64_t value) {
    nftnl_expr_set_u64(expression_, attribute, value);
    return counted(sizeof value);
  }
  Expression& set(std::uint16_t attribute, const std::string& value) {
    nftnl_expr_set_str(expression_, attribute, value.c_str());
    return counted(value.size());
  }
  Expression& set(std::uint16_t attribute, std::span<const std::uint8_t> value) {
    nftnl_expr_set(expression_, attribute, value.data(), static_cast<std::uint32_t>(value.size()));
    return counted(value.size());
  }

 private:
  static constexpr std::size_t kFixed = 64;  // its name, and the nests of the expression and of its values

  Expression& counted(std::size_t payload) {
    room_ += roomOfAttribute(payload);
    return *this;
  }

  Rule& rule_;
  nftnl_expr* expression_;
  std::size_t room_ = kFixed;
};

}  // namespace netlib::nft

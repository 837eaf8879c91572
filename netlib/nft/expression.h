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

#include "netlib/nft/rule.h"

namespace netlib::nft {

inline std::uint32_t kernelRegister(Register number) { return NFT_REG32_00 + number; }

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

/// The destructor appends it to the rule, which then owns it.
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
  Expression& setLong(std::uint16_t attribute, std::uint64_t value) {
    nftnl_expr_set_u64(expression_, attribute, value);
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

}  // namespace netlib::nft

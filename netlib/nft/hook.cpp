#include "netlib/nft/hook.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <libnftnl/expr.h>
#include <linux/netfilter.h>

#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

constexpr const char* nameOf(TableFamily family) {
  if (family == TableFamily::Inet) return "inet";
  return family == TableFamily::Ipv4 ? "ip" : "ip6";
}

std::optional<TableFamily> familyOf(std::uint32_t number) {
  constexpr std::array kKnown{TableFamily::Inet, TableFamily::Ipv4, TableFamily::Ipv6};
  const auto* known = std::ranges::find(kKnown, number, [](TableFamily f) { return static_cast<std::uint32_t>(f); });
  return known == kKnown.end() ? std::nullopt : std::optional{*known};
}

std::optional<ListedChain> chainIn(const Message& message) {
  const OwnedChain chain{allocated(nftnl_chain_alloc())};
  if (nftnl_chain_nlmsg_parse(&message.header(), chain.get()) < 0) return std::nullopt;
  const auto family = familyOf(nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_FAMILY));
  if (!family) return std::nullopt;  // arp, bridge, netdev
  const bool isBase = nftnl_chain_is_set(chain.get(), NFTNL_CHAIN_HOOKNUM);
  ListedChain listed{.table = {*family, nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE)},
                     .name = nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME)};
  if (!isBase) return listed;
  if (const char* type = nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TYPE)) listed.type = type;
  listed.hook = nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_HOOKNUM);
  listed.policyDrops = nftnl_chain_get_u32(chain.get(), NFTNL_CHAIN_POLICY) == NF_DROP;
  return listed;
}

filter::Verdict verdictOf(std::uint32_t code) {
  switch (static_cast<std::int32_t>(code)) {
    case NF_ACCEPT:
      return filter::Verdict::Accept;
    case NF_DROP:
      return filter::Verdict::Drop;
    case NFT_JUMP:
      return filter::Verdict::Jump;
    case NFT_GOTO:
      return filter::Verdict::Goto;
    case NFT_RETURN:
      return filter::Verdict::Return;
    default:
      return filter::Verdict::Continue;
  }
}

std::string_view textOf(const nftnl_expr* expression, std::uint16_t attribute) {
  const char* text = nftnl_expr_get_str(expression, attribute);
  return text == nullptr ? std::string_view{} : text;
}

/// The text of xt_comment, which iptables-nft uses.
std::string commentOf(const nftnl_expr* match) {
  std::uint32_t length = 0;
  const auto* text = static_cast<const char*>(nftnl_expr_get(match, NFTNL_EXPR_MT_INFO, &length));
  const std::string_view whole = text == nullptr ? std::string_view{} : std::string_view{text, length};
  return std::string{whole.substr(0, whole.find('\0'))};
}

bool loadsIifname(const nftnl_expr* expression) {
  return textOf(expression, NFTNL_EXPR_NAME) == "meta" &&
         nftnl_expr_get_u32(expression, NFTNL_EXPR_META_KEY) == NFT_META_IIFNAME;
}

/// The operand of an equality comparison as string; empty for other expressions.
std::string_view operandOf(const nftnl_expr* expression) {
  if (textOf(expression, NFTNL_EXPR_NAME) != "cmp") return {};
  if (nftnl_expr_get_u32(expression, NFTNL_EXPR_CMP_OP) != NFT_CMP_EQ) return {};
  std::uint32_t length = 0;
  const auto* text = static_cast<const char*>(nftnl_expr_get(expression, NFTNL_EXPR_CMP_DATA, &length));
  const std::string_view whole = text == nullptr ? std::string_view{} : std::string_view{text, length};
  return whole.substr(0, whole.find('\0'));
}

/// Adds the meaning of one expression.
void note(const nftnl_expr* expression, filter::Rule& rule) {
  constexpr std::array<std::string_view, 4> kUnconditional{"counter", "log", "notrack", "last"};
  const std::string_view name = textOf(expression, NFTNL_EXPR_NAME);
  const bool toVerdict = name == "immediate" && nftnl_expr_get_u32(expression, NFTNL_EXPR_IMM_DREG) == NFT_REG_VERDICT;
  if (toVerdict) {
    rule.verdict = verdictOf(nftnl_expr_get_u32(expression, NFTNL_EXPR_IMM_VERDICT));
    rule.target = textOf(expression, NFTNL_EXPR_IMM_CHAIN);
  } else if (name == "reject") {
    rule.verdict = filter::Verdict::Drop;
  } else if (name == "target") {  // of xtables; others (LOG, MARK) continue
    if (textOf(expression, NFTNL_EXPR_TG_NAME) == "REJECT") rule.verdict = filter::Verdict::Drop;
  } else if (name == "match" && textOf(expression, NFTNL_EXPR_MT_NAME) == "comment") {
    rule.comment = commentOf(expression);
  } else if (std::ranges::find(kUnconditional, name) == kUnconditional.end()) {
    rule.conditional = true;
  }
}

filter::Rule ruleOf(nftnl_rule& listed) {
  filter::Rule rule{.handle = nftnl_rule_get_u64(&listed, NFTNL_RULE_HANDLE)};
  std::uint32_t length = 0;
  const void* userData = nftnl_rule_get_data(&listed, NFTNL_RULE_USERDATA, &length);
  if (userData != nullptr) rule.comment = commentIn({static_cast<const std::uint8_t*>(userData), length});

  const Owned<nftnl_expr_iter, nftnl_expr_iter_destroy> expressions{allocated(nftnl_expr_iter_create(&listed))};
  bool afterIifname = false;
  while (const nftnl_expr* expression = nftnl_expr_iter_next(expressions.get())) {
    note(expression, rule);
    if (afterIifname) rule.iifname = operandOf(expression);
    afterIifname = loadsIifname(expression);
  }
  return rule;
}

}  // namespace

bool ListedChain::atForwardHook() const { return hook == std::uint32_t{NF_INET_FORWARD}; }

std::string ListedChain::toString() const {
  return std::string{"nf_tables chain "} + nameOf(table.family) + " " + table.name + " " + name;
}

Result<std::vector<ListedChain>> listAllChains(Socket& netfilter) {
  Batch batch;
  batch.append("list nf_tables chains", roomFor(), [](char* room) {
    nftnl_nlmsg_build_hdr(room, NFT_MSG_GETCHAIN, NFPROTO_UNSPEC, NLM_F_DUMP | NLM_F_ACK, 0);
  });
  std::vector<ListedChain> chains;
  const auto answers = TRY(netfilter.request(batch));
  for (const Message& message : answers.front().messages) {
    if (auto chain = chainIn(message)) chains.push_back(std::move(*chain));
  }
  return chains;
}

Result<std::vector<filter::Rule>> listRules(Socket& netfilter, const Table& table, const std::string& chain) {
  Batch batch;
  dumpRules(batch, table, chain);
  std::vector<filter::Rule> rules;
  const auto answers = netfilter.request(batch);
  if (answers.failedWith(ENOENT)) return rules;
  if (!answers) return fail(answers.error());
  for (const Message& message : answers->front().messages) {
    const OwnedRule rule{allocated(nftnl_rule_alloc())};
    if (nftnl_rule_nlmsg_parse(&message.header(), rule.get()) < 0) {
      return fail(Cause::Damaged, "cannot parse a rule of nf_tables chain " + chain);
    }
    rules.push_back(ruleOf(*rule));
  }
  return rules;
}

}  // namespace netlib::nft

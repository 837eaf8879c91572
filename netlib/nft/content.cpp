#include "netlib/nft/content.h"

#include <algorithm>
#include <array>
#include <cstdio>  // libnftnl/expr.h needs FILE

#include <libmnl/libmnl.h>
#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

std::string stringOf(const char* text) { return text == nullptr ? std::string{} : text; }

std::string textOf(nftnl_expr& expression) {
  const std::string name = stringOf(nftnl_expr_get_str(&expression, NFTNL_EXPR_NAME));
  if (name == "counter") {
    nftnl_expr_set_u64(&expression, NFTNL_EXPR_CTR_PACKETS, 0);
    nftnl_expr_set_u64(&expression, NFTNL_EXPR_CTR_BYTES, 0);
  }
  std::array<char, 1024> body{};
  nftnl_expr_snprintf(body.data(), body.size(), &expression, NFTNL_OUTPUT_DEFAULT, 0);
  std::string text = "[ " + name + " " + body.data();
  while (text.ends_with(' ')) text.pop_back();
  return text + " ]";
}

std::string textOf(nftnl_rule& rule) {
  std::string text;
  const Owned<nftnl_expr_iter, nftnl_expr_iter_destroy> expressions{allocated(nftnl_expr_iter_create(&rule))};
  while (nftnl_expr* expression = nftnl_expr_iter_next(expressions.get())) {
    text += (text.empty() ? "" : " ") + textOf(*expression);
  }
  return text;
}

std::string baseOf(const nftnl_chain& chain) {
  constexpr std::array kHooks{"prerouting", "input", "forward", "output", "postrouting"};  // NF_INET_*, NF_BR_*
  if (!nftnl_chain_is_set(&chain, NFTNL_CHAIN_HOOKNUM)) return {};
  const std::uint32_t hook = nftnl_chain_get_u32(&chain, NFTNL_CHAIN_HOOKNUM);
  const bool drops =
      nftnl_chain_is_set(&chain, NFTNL_CHAIN_POLICY) && nftnl_chain_get_u32(&chain, NFTNL_CHAIN_POLICY) == NF_DROP;
  return "type " + stringOf(nftnl_chain_get_str(&chain, NFTNL_CHAIN_TYPE)) + " hook " +
         (hook < kHooks.size() ? kHooks.at(hook) : std::to_string(hook)) + " priority " +
         std::to_string(nftnl_chain_get_s32(&chain, NFTNL_CHAIN_PRIO)) + " policy " + (drops ? "drop" : "accept");
}

/// Adds to a table's content what messages tell of it: those of a transaction, and the kernel's answers.
class Reader {
 public:
  Reader(const Table& table, TableContent& content) : table_(table), content_(content) {}

  Result<> read(const nlmsghdr& message) {
    if (message.nlmsg_type >> 8U != NFNL_SUBSYS_NFTABLES) return {};  // NFNL_MSG_BATCH_*
    if (message.nlmsg_len < NLMSG_HDRLEN + sizeof(nfgenmsg)) return damaged("object");
    const auto& header = *static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(&message));
    if (header.nfgen_family != static_cast<std::uint8_t>(table_.family)) return {};
    switch (message.nlmsg_type & 0xffU) {
      case NFT_MSG_NEWTABLE:
        return readTable(message);
      case NFT_MSG_NEWCHAIN:
        return readChain(message);
      case NFT_MSG_NEWRULE:
        return readRule(message);
      case NFT_MSG_NEWSET:
        return readSet(message);
      case NFT_MSG_NEWSETELEM:
        return readElements(message, &SetContent::elements);
      case NFT_MSG_DELSETELEM:
        return readElements(message, &SetContent::absent);
      default:
        return {};
    }
  }

 private:
  bool isThis(const char* table) const { return table_.name == stringOf(table); }

  static Failure<Error> damaged(const char* kind) {
    return fail(Cause::Damaged, std::string{"cannot parse a message about an nf_tables "} + kind);
  }

  Result<> readTable(const nlmsghdr& message) {
    const OwnedTable table{allocated(nftnl_table_alloc())};
    if (nftnl_table_nlmsg_parse(&message, table.get()) < 0) return damaged("table");
    if (!isThis(nftnl_table_get_str(table.get(), NFTNL_TABLE_NAME))) return {};
    content_.isDormant =
        nftnl_table_is_set(table.get(), NFTNL_TABLE_FLAGS) &&
        (nftnl_table_get_u32(table.get(), NFTNL_TABLE_FLAGS) & std::uint32_t{NFT_TABLE_F_DORMANT}) != 0;
    return {};
  }

  Result<> readChain(const nlmsghdr& message) {
    const OwnedChain chain{allocated(nftnl_chain_alloc())};
    if (nftnl_chain_nlmsg_parse(&message, chain.get()) < 0) return damaged("chain");
    if (!isThis(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE))) return {};
    ChainContent& content = content_.chains[stringOf(nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME))];
    content.isWhole = true;
    content.base = baseOf(*chain);
    return {};
  }

  Result<> readRule(const nlmsghdr& message) {
    const OwnedRule rule{allocated(nftnl_rule_alloc())};
    if (nftnl_rule_nlmsg_parse(&message, rule.get()) < 0) return damaged("rule");
    if (!isThis(nftnl_rule_get_str(rule.get(), NFTNL_RULE_TABLE))) return {};
    auto& rules = content_.chains[stringOf(nftnl_rule_get_str(rule.get(), NFTNL_RULE_CHAIN))].rules;
    // A request of insertRule(); the kernel lists rules in their order.
    const bool isFirst = (message.nlmsg_flags & (NLM_F_REQUEST | NLM_F_APPEND)) == NLM_F_REQUEST;
    rules.insert(isFirst ? rules.begin() : rules.end(), textOf(*rule));
    return {};
  }

  Result<> readSet(const nlmsghdr& message) {
    const OwnedSet set{allocated(nftnl_set_alloc())};
    if (nftnl_set_nlmsg_parse(&message, set.get()) < 0) return damaged("set");
    if (!isThis(nftnl_set_get_str(set.get(), NFTNL_SET_TABLE))) return {};
    const auto number = [&set](std::uint16_t attribute) {
      return nftnl_set_is_set(set.get(), attribute) ? nftnl_set_get_u32(set.get(), attribute) : 0;
    };
    SetContent& content = content_.sets[stringOf(nftnl_set_get_str(set.get(), NFTNL_SET_NAME))];
    content.keyType = number(NFTNL_SET_KEY_TYPE);
    content.keyLength = number(NFTNL_SET_KEY_LEN);
    content.dataType = number(NFTNL_SET_DATA_TYPE);
    content.interval = (number(NFTNL_SET_FLAGS) & std::uint32_t{NFT_SET_INTERVAL}) != 0;
    content.type = typeText(content.keyType, content.keyLength);
    // Of a verdict the kernel tells a length of its own.
    if (content.dataType == kVerdict) content.type += " : verdict";
    if (content.dataType != 0 && content.dataType != kVerdict) {
      content.type += " : " + typeText(content.dataType, number(NFTNL_SET_DATA_LEN));
    }
    if (number(NFTNL_SET_FLAGS) != 0) content.type += " flags " + std::to_string(number(NFTNL_SET_FLAGS));
    return {};
  }

  Result<> readElements(const nlmsghdr& message, std::vector<Element> SetContent::*kind) {
    const OwnedSet set{allocated(nftnl_set_alloc())};
    if (nftnl_set_elems_nlmsg_parse(&message, set.get()) < 0) return damaged("set's elements");
    if (!isThis(nftnl_set_get_str(set.get(), NFTNL_SET_TABLE))) return {};
    SetContent& content = content_.sets[stringOf(nftnl_set_get_str(set.get(), NFTNL_SET_NAME))];
    std::ranges::move(elementsOf(*set), std::back_inserter(content.*kind));
    return {};
  }

  const Table& table_;
  TableContent& content_;
};

/// False where there is no such table. The batch begins with getTable(): the answers behind a request that fails are
/// read, but for the first.
Result<bool> readAnswers(Socket& netfilter, Batch& batch, Reader& reader) {
  const auto answers = TRY(netfilter.exchange(batch));
  if (answers.front().error == ENOENT) return false;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].error == ENOENT) continue;
    if (answers[i].error != 0) return fail(errorOf(answers[i], batch.what(i)));
    for (const Message& message : answers[i].messages) TRY(reader.read(message.header()));
  }
  return true;
}

Result<bool> readElements(Socket& netfilter, const Table& table, const TableContent& wanted, TableContent& present,
                          Reader& reader) {
  Batch batch;
  getTable(batch, table);
  for (const auto& [name, set] : wanted.sets) {
    const auto found = present.sets.find(name);
    if (found == present.sets.end() || (set.elements.empty() && set.absent.empty())) continue;
    // A get of an interval set gives the interval that contains the key, not the element.
    if (found->second.interval) {
      found->second.elements = TRY(listElements(netfilter, table, name));
      continue;
    }
    for (const auto* some : {&set.elements, &set.absent}) {
      for (const Element& element : *some) {
        if (element.key.size() == found->second.keyLength) getElement(batch, table, name, element);
      }
    }
  }
  return batch.count() == 1 ? Result<bool>{true} : readAnswers(netfilter, batch, reader);
}

}  // namespace

Result<TableContent> Transaction::contentOf(const Table& table) const {
  TableContent content;
  Reader reader{table, content};
  for (std::size_t i = 0; i < batch_.count(); ++i) TRY(reader.read(batch_.message(i)));
  return content;
}

Result<std::optional<TableContent>> listContent(Socket& netfilter, const Table& table, const TableContent& wanted) {
  TableContent present;
  Reader reader{table, present};
  Batch objects;
  getTable(objects, table);
  for (const auto& [name, chain] : wanted.chains) getChain(objects, table, name);
  for (const auto& [name, set] : wanted.sets) getSet(objects, table, name);
  const bool exists =
      TRY(readAnswers(netfilter, objects, reader)) && TRY(readElements(netfilter, table, wanted, present, reader));
  if (!exists) return std::optional<TableContent>{};
  for (const auto& [name, chain] : wanted.chains) {
    if (!present.chains.contains(name)) continue;
    Batch rules;
    dumpRules(rules, table, name);
    const auto answers = TRY(netfilter.request(rules));
    for (const Message& message : answers.front().messages) TRY(reader.read(message.header()));
  }
  return std::optional{std::move(present)};
}

}  // namespace netlib::nft

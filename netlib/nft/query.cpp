// Queries.
#include <algorithm>
#include <cstdio>  // libnftnl/expr.h needs FILE
#include <iterator>

#include <libnftnl/expr.h>

#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

/// Appends the elements of one message.
Result<> appendElements(const Message& message, const std::string& set, std::vector<Element>& to) {
  const OwnedSet found{allocated(nftnl_set_alloc())};
  if (nftnl_set_elems_nlmsg_parse(&message.header(), found.get()) < 0) {
    return fail(Cause::Damaged, "cannot parse elements of nf_tables set " + set);
  }
  std::ranges::move(elementsOf(*found), std::back_inserter(to));
  return {};
}

Result<std::vector<Element>> listOnce(Socket& netfilter, const Table& table, const std::string& set) {
  Batch batch;
  dumpElements(batch, table, set);
  std::vector<Element> elements;
  const auto answers = netfilter.request(batch);
  if (answers.failedWith(ENOENT)) return elements;
  if (!answers.ok()) return fail(answers.error());
  for (const Message& message : answers->front().messages) TRY(appendElements(message, set, elements));
  return elements;
}

/// For each datagram of a dump nft_rhash_walk() begins anew and skips as many elements as were sent. If the hash table
/// was resized in between, which its worker does some time after a transaction, some elements are missing, just as many
/// come twice, and there is no NLM_F_DUMP_INTR.
bool hasRepeated(const std::vector<Element>& elements) {
  std::vector<std::pair<std::vector<std::uint8_t>, bool>> keys;
  for (const Element& element : elements) keys.emplace_back(element.key, element.intervalEnd);
  std::ranges::sort(keys);
  return std::ranges::adjacent_find(keys) != keys.end();
}

void addCounters(nftnl_rule& rule, Counted& sum) {
  const Owned<nftnl_expr_iter, nftnl_expr_iter_destroy> expressions{allocated(nftnl_expr_iter_create(&rule))};
  while (const nftnl_expr* expression = nftnl_expr_iter_next(expressions.get())) {
    const char* name = nftnl_expr_get_str(expression, NFTNL_EXPR_NAME);
    if (name == nullptr || std::string_view{name} != "counter") continue;
    sum.packets += nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_PACKETS);
    sum.bytes += nftnl_expr_get_u64(expression, NFTNL_EXPR_CTR_BYTES);
  }
}

}  // namespace

Result<bool> hasChain(Socket& netfilter, const Table& table, const std::string& chain) {
  Batch batch;
  getChain(batch, table, chain);
  const auto found = netfilter.request(batch);
  if (!found && !found.failedWith(ENOENT)) return fail(found.error());
  return found.ok();
}

Result<Names> present(Socket& netfilter, const Table& table, const Names& wanted) {
  Batch batch;
  getTable(batch, table);
  for (const std::string& chain : wanted.chains) getChain(batch, table, chain);
  for (const std::string& set : wanted.sets) getSet(batch, table, set);
  const auto answers = TRY(netfilter.exchange(batch));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const int error = answers[i].error;
    if (error != 0 && (i == 0 || error != ENOENT)) return fail(errorOf(answers[i], batch.what(i)));
  }
  Names found;
  std::size_t next = 1;  // behind the table
  const auto isFound = [&](const std::string& /*name*/) { return answers[next++].error == 0; };
  std::ranges::copy_if(wanted.chains, std::inserter(found.chains, found.chains.end()), isFound);
  std::ranges::copy_if(wanted.sets, std::inserter(found.sets, found.sets.end()), isFound);
  return found;
}

Result<Counted> countPackets(Socket& netfilter, const Table& table, const std::string& chain) {
  Batch named;
  getChain(named, table, chain);
  TRY(netfilter.request(named));
  Batch rules;
  dumpRules(rules, table, chain);
  Counted counted;
  const auto answers = TRY(netfilter.request(rules));
  for (const Message& message : answers.front().messages) {
    const OwnedRule rule{allocated(nftnl_rule_alloc())};
    if (nftnl_rule_nlmsg_parse(&message.header(), rule.get()) < 0) {
      return fail(Cause::Damaged, "cannot parse a rule of nf_tables chain " + chain);
    }
    addCounters(*rule, counted);
  }
  return counted;
}

Result<std::vector<NamedChain>> listChains(Socket& netfilter, const Table& table) {
  Batch batch;
  batch.append("list nf_tables chains", roomFor(),
               [&](char* room) { putHeader(room, NFT_MSG_GETCHAIN, table, NLM_F_DUMP | NLM_F_ACK); });
  std::vector<NamedChain> chains;
  const auto answers = TRY(netfilter.request(batch));
  for (const Message& message : answers.front().messages) {
    const OwnedChain chain{allocated(nftnl_chain_alloc())};
    if (nftnl_chain_nlmsg_parse(&message.header(), chain.get()) < 0) continue;  // not a chain
    if (table.name != nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE)) continue;
    chains.push_back({nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME), commentOf(*chain)});
  }
  return chains;
}

Result<std::vector<Element>> listElements(Socket& netfilter, const Table& table, const std::string& set) {
  constexpr int kTries = 10;
  for (int attempt = 0; attempt < kTries; ++attempt) {
    auto elements = TRY(listOnce(netfilter, table, set));
    if (!hasRepeated(elements)) return elements;
  }
  return fail(Cause::Disturbed, "nf_tables set " + set + " is reordered by the kernel at each listing");
}

Result<> probe(Socket& netfilter) {
  Batch batch;
  batch.append("probe nf_tables", roomFor(), [](char* room) {
    putHeader(room, NFT_MSG_GETGEN, {Family::Ipv4, ""}, 0);
  });
  TRY(netfilter.request(batch));
  return {};
}

Result<std::optional<Element>> findElement(Socket& netfilter, const Table& table, const std::string& set,
                                           const Element& key) {
  Batch batch;
  getElement(batch, table, set, key);
  const auto answers = TRY(netfilter.exchange(batch));
  const Answer& answer = answers.front();
  if (answer.error == ENOENT) return std::optional<Element>{};
  if (answer.error != 0) return fail(errorOf(answer, batch.what(0)));
  if (answer.messages.empty()) return fail(Cause::Damaged, "no element in the kernel's answer");

  std::vector<Element> found;
  TRY(appendElements(answer.messages.front(), set, found));
  return found.empty() ? std::optional<Element>{} : std::optional{std::move(found.front())};
}

}  // namespace netlib::nft

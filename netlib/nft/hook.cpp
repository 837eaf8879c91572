#include "netlib/nft/hook.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <linux/netfilter.h>

#include "netlib/nft/objects.h"
#include "netlib/nft/rule_match.h"

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

}  // namespace

std::string textOf(const Table& table) { return std::string{nameOf(table.family)} + " " + table.name; }

bool ListedChain::atForwardHook() const { return hook == std::uint32_t{NF_INET_FORWARD}; }

std::string ListedChain::toString() const { return "nf_tables chain " + textOf(table) + " " + name; }

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

struct ChainReader::Content {
  std::vector<OwnedRule> rules;
};

ChainReader::ChainReader(Socket& netfilter) : netfilter_(netfilter) {}
ChainReader::~ChainReader() = default;

Result<const ChainReader::Content*> ChainReader::contentOf(const Table& table, const std::string& chain) {
  const Key key{table.family, table.name, chain};
  if (const auto known = chains_.find(key); known != chains_.end()) return &known->second;
  Batch batch;
  dumpRules(batch, table, chain);
  const auto answers = netfilter_.request(batch);
  if (!answers && !answers.failedWith(ENOENT)) return fail(answers.error());
  Content content;
  for (const Message& message : answers ? answers->front().messages : std::vector<Message>{}) {
    content.rules.emplace_back(allocated(nftnl_rule_alloc()));
    if (nftnl_rule_nlmsg_parse(&message.header(), content.rules.back().get()) < 0) {
      return fail(Cause::Damaged, "cannot parse a rule of nf_tables chain " + chain);
    }
  }
  return &chains_.emplace(key, std::move(content)).first->second;
}

const LookupSet* ChainReader::setOf(const Table& table, const std::string& name) {
  const Key key{table.family, table.name, name};
  auto known = sets_.find(key);
  if (known == sets_.end()) {
    auto read = LookupSet::read(netfilter_, table, name);
    known = sets_.emplace(key, read ? std::make_unique<LookupSet>(*std::move(read)) : nullptr).first;
  }
  return known->second.get();
}

Result<std::vector<filter::Rule>> ChainReader::rulesFor(const Table& table, const std::string& chain,
                                                        const filter::Packet& packet) {
  std::vector<filter::Rule> rules;
  const Content* content = TRY(contentOf(table, chain));
  for (const OwnedRule& listed : content->rules) {
    auto [rule, match] = evaluate(*listed, packet, [&](const std::string& name) { return setOf(table, name); });
    if (match != filter::Match::No) rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::vector<filter::Rule>> ChainReader::rulesOf(const Table& table, const std::string& chain) {
  std::vector<filter::Rule> rules;
  const Content* content = TRY(contentOf(table, chain));
  for (const OwnedRule& listed : content->rules) {
    auto [rule, match] = evaluate(*listed, {}, [](const std::string&) -> const LookupSet* { return nullptr; });
    rule.conditional |= match == filter::Match::No;  // contradicts itself: meets no packet
    rules.push_back(std::move(rule));
  }
  return rules;
}

Result<std::vector<filter::Rule>> listRules(Socket& netfilter, const Table& table, const std::string& chain) {
  ChainReader reader{netfilter};
  return reader.rulesOf(table, chain);
}

}  // namespace netlib::nft

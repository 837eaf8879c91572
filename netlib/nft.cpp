#include "netlib/nft.h"

#include <algorithm>
#include <array>
#include <new>

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

namespace netlib::nft {

namespace {

/// More than libnftnl writes for one object with the names and expressions that are used here (a rule takes 600 bytes),
/// and for one element (120 bytes: an IPv6 key and data).
constexpr std::size_t kObjectRoom = 2048;
constexpr std::size_t kElementRoom = 192;

template <auto Release>
struct Released {
  template <class T>
  void operator()(T* object) const {
    Release(object);
  }
};
template <class T, auto Release>
using Owned = std::unique_ptr<T, Released<Release>>;

using OwnedTable = Owned<nftnl_table, nftnl_table_free>;
using OwnedChain = Owned<nftnl_chain, nftnl_chain_free>;
using OwnedSet = Owned<nftnl_set, nftnl_set_free>;
using OwnedRule = Owned<nftnl_rule, nftnl_rule_free>;

template <class T>
T* allocated(T* object) {
  if (object == nullptr) throw std::bad_alloc{};
  return object;
}

std::uint32_t numberOf(Family family) { return static_cast<std::uint32_t>(family); }

nlmsghdr* putHeader(char* room, unsigned type, const Table& table, unsigned flags) {
  return nftnl_nlmsg_build_hdr(room, static_cast<std::uint16_t>(type), static_cast<std::uint16_t>(table.family),
                               static_cast<std::uint16_t>(flags), 0);
}

/// The brackets of a transaction are not acknowledged: the first one answers only when the whole fails.
void appendBracket(Batch& batch, std::uint16_t type) {
  batch.append("nf_tables transaction", kObjectRoom, [type](char* room) {
    nlmsghdr* header = mnl_nlmsg_put_header(room);
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST;
    nfgenmsg family{};
    family.nfgen_family = AF_UNSPEC;
    family.version = NFNETLINK_V0;
    family.res_id = __builtin_bswap16(NFNL_SUBSYS_NFTABLES);
    std::memcpy(mnl_nlmsg_put_extra_header(header, sizeof family), &family, sizeof family);
  });
}

OwnedChain chainOf(const Table& table, const std::string& name) {
  OwnedChain chain{allocated(nftnl_chain_alloc())};
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, numberOf(table.family));
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.name.c_str());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name.c_str());
  return chain;
}

/// The comment as nft writes it: type 0, length, text with NUL.
void setComment(nftnl_chain& chain, const std::string& comment) {
  constexpr std::size_t kLongest = 127;
  const std::string text = comment.substr(0, kLongest);
  std::vector<std::uint8_t> userData{NFTNL_UDATA_CHAIN_COMMENT, static_cast<std::uint8_t>(text.size() + 1)};
  userData.insert(userData.end(), text.begin(), text.end());
  userData.push_back(0);
  nftnl_chain_set_data(&chain, NFTNL_CHAIN_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
}

std::string commentOf(const nftnl_chain& chain) {
  std::uint32_t length = 0;
  const auto* bytes = static_cast<const char*>(nftnl_chain_get_data(&chain, NFTNL_CHAIN_USERDATA, &length));
  constexpr std::size_t kTypeAndLength = 2;
  if (bytes == nullptr || length <= kTypeAndLength || bytes[0] != NFTNL_UDATA_CHAIN_COMMENT) return {};
  const std::string text{bytes + kTypeAndLength, length - kTypeAndLength};
  return text.substr(0, text.find('\0'));
}

/// What nft keeps beside a set to print its keys: attribute "key byte order", 1 for the host's.
void setHostEndian(nftnl_set& set) {
  constexpr std::uint32_t kHost = 1;
  std::vector<std::uint8_t> userData{NFTNL_UDATA_SET_KEYBYTEORDER, sizeof kHost};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&kHost);
  userData.insert(userData.end(), bytes, bytes + sizeof kHost);
  nftnl_set_set_data(&set, NFTNL_SET_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
}

OwnedSet setOf(const Table& table, const std::string& name) {
  OwnedSet set{allocated(nftnl_set_alloc())};
  nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, numberOf(table.family));
  nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.name.c_str());
  nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
  return set;
}

nftnl_set_elem* elementOf(const Element& element) {
  nftnl_set_elem* made = allocated(nftnl_set_elem_alloc());
  nftnl_set_elem_set(made, NFTNL_SET_ELEM_KEY, element.key.data(), static_cast<std::uint32_t>(element.key.size()));
  if (!element.data.empty()) {
    nftnl_set_elem_set(made, NFTNL_SET_ELEM_DATA, element.data.data(), static_cast<std::uint32_t>(element.data.size()));
  }
  if (!element.jumpTo.empty()) {
    nftnl_set_elem_set_u32(made, NFTNL_SET_ELEM_VERDICT, static_cast<std::uint32_t>(NFT_JUMP));
    nftnl_set_elem_set_str(made, NFTNL_SET_ELEM_CHAIN, element.jumpTo.c_str());
  }
  if (element.intervalEnd) nftnl_set_elem_set_u32(made, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  return made;
}

Element elementOf(nftnl_set_elem& found) {
  const auto bytes = [&found](std::uint16_t attribute) {
    std::uint32_t length = 0;
    const auto* data = static_cast<const std::uint8_t*>(nftnl_set_elem_get(&found, attribute, &length));
    return data == nullptr ? std::vector<std::uint8_t>{} : std::vector<std::uint8_t>(data, data + length);
  };
  Element element{.key = bytes(NFTNL_SET_ELEM_KEY), .data = bytes(NFTNL_SET_ELEM_DATA)};
  if (nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_CHAIN)) {
    element.jumpTo = nftnl_set_elem_get_str(&found, NFTNL_SET_ELEM_CHAIN);
  }
  return element;
}

}  // namespace

void appendPadded(std::vector<std::uint8_t>& to, std::span<const std::uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
  while (to.size() % 4 != 0) to.push_back(0);
}

Transaction::Transaction() { appendBracket(batch_, NFNL_MSG_BATCH_BEGIN); }

Result<> Transaction::commit(Socket& netfilter) {
  appendBracket(batch_, NFNL_MSG_BATCH_END);
  TRY(netfilter.request(batch_));
  return {};
}

void Transaction::addTable(const Table& table) {
  batch_.append("create nf_tables table " + table.name, kObjectRoom, [&](char* room) {
    const OwnedTable made{allocated(nftnl_table_alloc())};
    nftnl_table_set_u32(made.get(), NFTNL_TABLE_FAMILY, numberOf(table.family));
    nftnl_table_set_str(made.get(), NFTNL_TABLE_NAME, table.name.c_str());
    nftnl_table_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWTABLE, table, NLM_F_CREATE | NLM_F_ACK), made.get());
  });
}

void Transaction::deleteTable(const Table& table) {
  batch_.append("delete nf_tables table " + table.name, kObjectRoom, [&](char* room) {
    const OwnedTable named{allocated(nftnl_table_alloc())};
    nftnl_table_set_str(named.get(), NFTNL_TABLE_NAME, table.name.c_str());
    nftnl_table_nlmsg_build_payload(putHeader(room, NFT_MSG_DELTABLE, table, NLM_F_ACK), named.get());
  });
}

void Transaction::addChain(const Table& table, const std::string& name, const std::string& comment) {
  batch_.append("create nf_tables chain " + name, kObjectRoom, [&](char* room) {
    const OwnedChain chain = chainOf(table, name);
    setComment(*chain, comment);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWCHAIN, table, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
                                    chain.get());
  });
}

void Transaction::addBaseChain(const Table& table, const BaseChain& base) {
  batch_.append("create nf_tables chain " + base.name, kObjectRoom, [&](char* room) {
    const OwnedChain chain = chainOf(table, base.name);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, base.type.c_str());
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, base.hook);
    nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, base.priority);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWCHAIN, table, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
                                    chain.get());
  });
}

void Transaction::deleteChain(const Table& table, const std::string& name) {
  batch_.append("flush nf_tables chain " + name, kObjectRoom, [&](char* room) {
    const OwnedRule all{allocated(nftnl_rule_alloc())};
    nftnl_rule_set_str(all.get(), NFTNL_RULE_TABLE, table.name.c_str());
    nftnl_rule_set_str(all.get(), NFTNL_RULE_CHAIN, name.c_str());
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_DELRULE, table, NLM_F_ACK), all.get());
  });
  batch_.append("delete nf_tables chain " + name, kObjectRoom, [&](char* room) {
    const OwnedChain chain = chainOf(table, name);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_DELCHAIN, table, NLM_F_ACK), chain.get());
  });
}

void Transaction::addSet(const Table& table, const Set& set) {
  batch_.append("create nf_tables set " + set.name, kObjectRoom, [&](char* room) {
    const OwnedSet made = setOf(table, set.name);
    const std::uint32_t flags =
        (set.dataType != 0 ? std::uint32_t{NFT_SET_MAP} : 0) | (set.interval ? std::uint32_t{NFT_SET_INTERVAL} : 0);
    nftnl_set_set_u32(made.get(), NFTNL_SET_FLAGS, flags);
    nftnl_set_set_u32(made.get(), NFTNL_SET_ID, static_cast<std::uint32_t>(batch_.count()));
    nftnl_set_set_u32(made.get(), NFTNL_SET_KEY_TYPE, set.keyType);
    nftnl_set_set_u32(made.get(), NFTNL_SET_KEY_LEN, set.keyLength);
    if (set.dataType != 0) {
      nftnl_set_set_u32(made.get(), NFTNL_SET_DATA_TYPE, set.dataType);
      nftnl_set_set_u32(made.get(), NFTNL_SET_DATA_LEN, set.dataLength);
    }
    if (set.hostEndian) setHostEndian(*made);
    nftnl_set_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWSET, table, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
                                  made.get());
  });
}

void Transaction::addRule(const Table& table, const std::string& chain, const Rule& rule) {
  batch_.append("add rule to nf_tables chain " + chain, kObjectRoom, [&](char* room) {
    nftnl_rule_set_u32(rule.rule_.get(), NFTNL_RULE_FAMILY, numberOf(table.family));
    nftnl_rule_set_str(rule.rule_.get(), NFTNL_RULE_TABLE, table.name.c_str());
    nftnl_rule_set_str(rule.rule_.get(), NFTNL_RULE_CHAIN, chain.c_str());
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWRULE, table, NLM_F_CREATE | NLM_F_APPEND | NLM_F_ACK),
                                   rule.rule_.get());
  });
}

void Transaction::addElements(const Table& table, const std::string& set, std::span<const Element> elements) {
  changeElements(Change::Add, table, set, elements);
}

void Transaction::deleteElements(const Table& table, const std::string& set, std::span<const Element> elements) {
  changeElements(Change::Delete, table, set, elements);
}

void Transaction::changeElements(Change change, const Table& table, const std::string& set,
                                 std::span<const Element> elements) {
  // A list of elements is one attribute with a length of 16 bits.
  constexpr std::size_t kPerMessage = UINT16_MAX / kElementRoom;
  const bool adds = change == Change::Add;
  for (; !elements.empty(); elements = elements.subspan(std::min(kPerMessage, elements.size()))) {
    const auto some = elements.first(std::min(kPerMessage, elements.size()));
    batch_.append((adds ? "add elements to nf_tables set " : "delete elements of nf_tables set ") + set,
                  kObjectRoom + some.size() * kElementRoom, [&](char* room) {
                    const OwnedSet part = setOf(table, set);
                    for (const Element& element : some) nftnl_set_elem_add(part.get(), elementOf(element));
                    const unsigned type = adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
                    const unsigned flags = NLM_F_ACK | (adds ? NLM_F_CREATE : 0U);
                    nftnl_set_elems_nlmsg_build_payload(putHeader(room, type, table, flags), part.get());
                  });
  }
}

Result<std::size_t> countRules(Socket& netfilter, const Table& table, const std::string& chain) {
  Batch batch;
  batch.append("list nf_tables chain " + chain, kObjectRoom, [&](char* room) {
    const OwnedChain named = chainOf(table, chain);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_GETCHAIN, table, NLM_F_ACK), named.get());
  });
  TRY(netfilter.request(batch));

  Batch rules;
  rules.append("list rules of nf_tables chain " + chain, kObjectRoom, [&](char* room) {
    const OwnedRule all{allocated(nftnl_rule_alloc())};
    nftnl_rule_set_str(all.get(), NFTNL_RULE_TABLE, table.name.c_str());
    nftnl_rule_set_str(all.get(), NFTNL_RULE_CHAIN, chain.c_str());
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_GETRULE, table, NLM_F_DUMP | NLM_F_ACK), all.get());
  });
  const auto answers = TRY(netfilter.request(rules));
  return answers.front().messages.size();
}

namespace {

/// The elements in one answer of the kernel, appended to `to`.
Result<> appendElements(const Message& message, const Table& table, const std::string& set, std::vector<Element>& to) {
  const OwnedSet found = setOf(table, set);
  if (nftnl_set_elems_nlmsg_parse(&message.header(), found.get()) < 0) {
    return fail(EBADMSG, "the kernel's answer holds no elements of set " + set);
  }
  const Owned<nftnl_set_elems_iter, nftnl_set_elems_iter_destroy> elements{
      allocated(nftnl_set_elems_iter_create(found.get()))};
  while (nftnl_set_elem* element = nftnl_set_elems_iter_next(elements.get())) to.push_back(elementOf(*element));
  return {};
}

}  // namespace

Result<std::vector<NamedChain>> listChains(Socket& netfilter, const Table& table) {
  Batch batch;
  batch.append("list nf_tables chains", kObjectRoom,
               [&](char* room) { putHeader(room, NFT_MSG_GETCHAIN, table, NLM_F_DUMP | NLM_F_ACK); });
  std::vector<NamedChain> chains;
  const auto answers = TRY(netfilter.request(batch));
  for (const Message& message : answers.front().messages) {
    const OwnedChain chain{allocated(nftnl_chain_alloc())};
    if (nftnl_chain_nlmsg_parse(&message.header(), chain.get()) < 0) continue;  // not a chain: nothing to list
    if (table.name != nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_TABLE)) continue;
    chains.push_back({nftnl_chain_get_str(chain.get(), NFTNL_CHAIN_NAME), commentOf(*chain)});
  }
  return chains;
}

Result<std::vector<Element>> listElements(Socket& netfilter, const Table& table, const std::string& set) {
  Batch batch;
  batch.append("list elements of nf_tables set " + set, kObjectRoom, [&](char* room) {
    const OwnedSet whole = setOf(table, set);
    nftnl_set_elems_nlmsg_build_payload(putHeader(room, NFT_MSG_GETSETELEM, table, NLM_F_DUMP | NLM_F_ACK),
                                        whole.get());
  });
  std::vector<Element> elements;
  const auto answers = netfilter.request(batch);
  if (answers.failedWith(ENOENT)) return elements;
  if (!answers.ok()) return fail(answers.error());
  for (const Message& message : answers->front().messages) TRY(appendElements(message, table, set, elements));
  return elements;
}

Result<> probe(Socket& netfilter) {
  Batch batch;
  batch.append("ask for nf_tables", kObjectRoom, [](char* room) {
    putHeader(room, NFT_MSG_GETGEN, {Family::Ipv4, ""}, NLM_F_ACK);
  });
  TRY(netfilter.request(batch));
  return {};
}

Result<std::optional<Element>> findElement(Socket& netfilter, const Table& table, const std::string& set,
                                           const Element& key) {
  Batch batch;
  batch.append("find element of nf_tables set " + set, kObjectRoom, [&](char* room) {
    const OwnedSet part = setOf(table, set);
    nftnl_set_elem_add(part.get(), elementOf(Element{.key = key.key, .intervalEnd = key.intervalEnd}));
    nftnl_set_elems_nlmsg_build_payload(putHeader(room, NFT_MSG_GETSETELEM, table, NLM_F_ACK), part.get());
  });
  const auto answers = TRY(netfilter.exchange(batch));
  const Answer& answer = answers.front();
  if (answer.error == ENOENT) return std::optional<Element>{};
  if (answer.error != 0) return fail(errorOf(answer, batch.what(0)));
  if (answer.messages.empty()) return fail(EBADMSG, "the kernel's answer names no element");

  std::vector<Element> found;
  TRY(appendElements(answer.messages.front(), table, set, found));
  return found.empty() ? std::optional<Element>{} : std::optional{std::move(found.front())};
}

}  // namespace netlib::nft

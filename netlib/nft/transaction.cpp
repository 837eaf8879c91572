#include <algorithm>

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>

#include "netlib/nft/objects.h"

namespace netlib::nft {

namespace {

std::uint32_t numberOf(TableFamily family) { return static_cast<std::uint32_t>(family); }

/// NFNL_MSG_BATCH_BEGIN and _END have no NLM_F_ACK: the kernel answers the former only if the transaction fails.
void appendBatchMessage(Batch& batch, std::uint16_t type) {
  batch.append("nf_tables transaction", roomFor(), [type](char* room) {
    nlmsghdr* header = mnl_nlmsg_put_header(room);
    header->nlmsg_type = type;
    header->nlmsg_flags = NLM_F_REQUEST;
    nfgenmsg family{};
    family.nfgen_family = AF_UNSPEC;
    family.version = NFNETLINK_V0;
    family.res_id = htons(NFNL_SUBSYS_NFTABLES);
    std::memcpy(mnl_nlmsg_put_extra_header(header, sizeof family), &family, sizeof family);
  });
}

/// libnftnl numbers the elements of a list, and refuses to read such a list (see contentOf()). The kernel ignores their
/// type.
void setListTypes(const nlmsghdr& message) {
  const auto setType = [](const nlattr* element, void*) {
    const_cast<nlattr*>(element)->nla_type = NLA_F_NESTED | NFTA_LIST_ELEM;
    return MNL_CB_OK;
  };
  const auto inList = [](const nlattr* attribute, void* callback) {
    const bool isList = mnl_attr_get_type(attribute) == NFTA_SET_ELEM_LIST_ELEMENTS;
    return isList ? mnl_attr_parse_nested(attribute, *static_cast<mnl_attr_cb_t*>(callback), nullptr) : MNL_CB_OK;
  };
  mnl_attr_cb_t callback = setType;
  mnl_attr_parse(&message, sizeof(nfgenmsg), inList, &callback);
}

}  // namespace

void appendPadded(std::vector<std::uint8_t>& to, std::span<const std::uint8_t> bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
  while (to.size() % 4 != 0) to.push_back(0);
}

std::vector<std::uint8_t> keyOf(const IfName& name) {
  const std::string& text = name.toString();
  std::vector<std::uint8_t> key{text.begin(), text.end()};
  key.resize(IFNAMSIZ);
  return key;
}

Transaction::Transaction() { appendBatchMessage(batch_, NFNL_MSG_BATCH_BEGIN); }

Result<> Transaction::commit(Socket& netfilter) {
  if (isEmpty()) return {};
  appendBatchMessage(batch_, NFNL_MSG_BATCH_END);
  TRY(netfilter.request(batch_));
  return {};
}

// As in "nft --check": without NFNL_MSG_BATCH_END the kernel aborts the transaction.
Result<> Transaction::check(Socket& netfilter) {
  if (isEmpty()) return {};
  TRY(netfilter.request(batch_));
  return {};
}

void Transaction::addTable(const Table& table) {
  batch_.append("create nf_tables table " + table.name, roomFor(table.name), [&](char* room) {
    const OwnedTable made{allocated(nftnl_table_alloc())};
    nftnl_table_set_u32(made.get(), NFTNL_TABLE_FAMILY, numberOf(table.family));
    nftnl_table_set_str(made.get(), NFTNL_TABLE_NAME, table.name.c_str());
    nftnl_table_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWTABLE, table, NLM_F_CREATE | NLM_F_ACK), made.get());
  });
}

void Transaction::deleteTable(const Table& table) {
  batch_.append("delete nf_tables table " + table.name, roomFor(table.name), [&](char* room) {
    const OwnedTable named{allocated(nftnl_table_alloc())};
    nftnl_table_set_str(named.get(), NFTNL_TABLE_NAME, table.name.c_str());
    nftnl_table_nlmsg_build_payload(putHeader(room, NFT_MSG_DELTABLE, table, NLM_F_ACK), named.get());
  });
}

void Transaction::addChain(const Table& table, const std::string& name, const std::string& comment) {
  putChain(NLM_F_CREATE | NLM_F_EXCL, table, name, comment);
}

void Transaction::ensureChain(const Table& table, const std::string& name, const std::string& comment) {
  putChain(NLM_F_CREATE, table, name, comment);
}

void Transaction::putChain(unsigned flags, const Table& table, const std::string& name, const std::string& comment) {
  batch_.append("create nf_tables chain " + name, roomFor(table.name, name, commentData(comment)), [&](char* room) {
    const OwnedChain chain = chainOf(table, name);
    if (!comment.empty()) setComment(*chain, comment);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWCHAIN, table, flags | NLM_F_ACK), chain.get());
  });
}

void Transaction::addBaseChain(const Table& table, const BaseChain& base) {
  batch_.append("create nf_tables chain " + base.name, roomFor(table.name, base.name, base.type), [&](char* room) {
    const OwnedChain chain = chainOf(table, base.name);
    nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TYPE, base.type.c_str());
    nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_HOOKNUM, base.hook);
    nftnl_chain_set_s32(chain.get(), NFTNL_CHAIN_PRIO, base.priority);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWCHAIN, table, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK),
                                    chain.get());
  });
}

void Transaction::deleteChain(const Table& table, const std::string& name) {
  batch_.append("flush nf_tables chain " + name, roomFor(table.name, name), [&](char* room) {
    const OwnedRule all = allRulesOf(table, name);
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_DELRULE, table, NLM_F_ACK), all.get());
  });
  batch_.append("delete nf_tables chain " + name, roomFor(table.name, name), [&](char* room) {
    const OwnedChain chain = chainOf(table, name);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_DELCHAIN, table, NLM_F_ACK), chain.get());
  });
}

void Transaction::addSet(const Table& table, const Set& set, Existing existing) {
  const auto userData = userDataOf(set);
  batch_.append("create nf_tables set " + set.name, roomFor(table.name, set.name, userData), [&](char* room) {
    const OwnedSet made = setOf(table, set.name);
    const std::uint32_t flags = (set.dataType != 0 ? std::uint32_t{NFT_SET_MAP} : 0) |
                                (set.interval ? std::uint32_t{NFT_SET_INTERVAL} : 0) |
                                (set.objects ? std::uint32_t{NFT_SET_OBJECT} : 0);
    nftnl_set_set_u32(made.get(), NFTNL_SET_FLAGS, flags);
    nftnl_set_set_u32(made.get(), NFTNL_SET_ID, static_cast<std::uint32_t>(batch_.count()));
    nftnl_set_set_u32(made.get(), NFTNL_SET_KEY_TYPE, set.keyType);
    nftnl_set_set_u32(made.get(), NFTNL_SET_KEY_LEN, set.keyLength);
    if (set.dataType != 0) {
      nftnl_set_set_u32(made.get(), NFTNL_SET_DATA_TYPE, set.dataType);
      nftnl_set_set_u32(made.get(), NFTNL_SET_DATA_LEN, set.dataLength);
    }
    if (set.objects) nftnl_set_set_u32(made.get(), NFTNL_SET_OBJ_TYPE, static_cast<std::uint32_t>(*set.objects));
    if (!userData.empty()) {
      nftnl_set_set_data(made.get(), NFTNL_SET_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
    }
    const unsigned exclusive = existing == Existing::Refused ? NLM_F_EXCL : 0;
    nftnl_set_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWSET, table, NLM_F_CREATE | NLM_F_ACK | exclusive),
                                  made.get());
  });
}

void Transaction::deleteSet(const Table& table, const std::string& name) {
  batch_.append("delete nf_tables set " + name, roomFor(table.name, name), [&](char* room) {
    const OwnedSet named = setOf(table, name);
    nftnl_set_nlmsg_build_payload(putHeader(room, NFT_MSG_DELSET, table, NLM_F_ACK), named.get());
  });
}

void Transaction::addRule(const Table& table, const std::string& chain, const Rule& rule) {
  putRule(Place::Last, table, chain, rule);
}

void Transaction::insertRule(const Table& table, const std::string& chain, const Rule& rule) {
  putRule(Place::First, table, chain, rule);
}

void Transaction::deleteRule(const Table& table, const std::string& chain, std::uint64_t handle) {
  batch_.append("delete rule of nf_tables chain " + chain, roomFor(table.name, chain), [&](char* room) {
    const OwnedRule named = allRulesOf(table, chain);
    nftnl_rule_set_u64(named.get(), NFTNL_RULE_HANDLE, handle);
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_DELRULE, table, NLM_F_ACK), named.get());
  });
}

void Transaction::putRule(Place place, const Table& table, const std::string& chain, const Rule& rule) {
  batch_.append("add rule to nf_tables chain " + chain, roomFor(table.name, chain) + rule.room_, [&](char* room) {
    nftnl_rule_set_u32(rule.rule_.get(), NFTNL_RULE_FAMILY, numberOf(table.family));
    nftnl_rule_set_str(rule.rule_.get(), NFTNL_RULE_TABLE, table.name.c_str());
    nftnl_rule_set_str(rule.rule_.get(), NFTNL_RULE_CHAIN, chain.c_str());
    const unsigned flags = NLM_F_CREATE | NLM_F_ACK | (place == Place::Last ? NLM_F_APPEND : 0U);
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_NEWRULE, table, flags), rule.rule_.get());
  });
}

void Transaction::addElements(const Table& table, const std::string& set, std::span<const Element> elements) {
  changeElements(Change::Add, table, set, elements);
}

void Transaction::deleteElements(const Table& table, const std::string& set, std::span<const Element> elements) {
  std::vector<Element> keys;
  std::ranges::transform(elements, std::back_inserter(keys), [](const Element& element) { return keyOf(element); });
  changeElements(Change::Delete, table, set, keys);
}

void Transaction::changeElements(Change change, const Table& table, const std::string& set,
                                 std::span<const Element> elements) {
  const bool adds = change == Change::Add;
  while (!elements.empty()) {
    // As many as fit: their list is one attribute, and nla_len has 16 bits.
    std::size_t count = 0;
    std::size_t length = roomFor(table.name, set);
    do {
      length += roomFor(elements[count]);
    } while (++count < elements.size() && length + roomFor(elements[count]) <= UINT16_MAX);
    batch_.append((adds ? "add elements to nf_tables set " : "delete elements of nf_tables set ") + set, length,
                  [&](char* room) {
                    const OwnedSet part = setOf(table, set);
                    for (const Element& element : elements.first(count)) {
                      nftnl_set_elem_add(part.get(), elementOf(element));
                    }
                    const unsigned type = adds ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM;
                    const unsigned flags = NLM_F_ACK | (adds ? NLM_F_CREATE : 0U);
                    nlmsghdr* message = putHeader(room, type, table, flags);
                    nftnl_set_elems_nlmsg_build_payload(message, part.get());
                    setListTypes(*message);
                  });
    elements = elements.subspan(count);
  }
}

}  // namespace netlib::nft

#include "netlib/nft/objects.h"

#include <algorithm>

namespace netlib::nft {

nlmsghdr* putHeader(char* room, unsigned type, const Table& table, unsigned flags) {
  return nftnl_nlmsg_build_hdr(room, static_cast<std::uint16_t>(type), static_cast<std::uint16_t>(table.family),
                               static_cast<std::uint16_t>(flags), 0);
}

OwnedChain chainOf(const Table& table, const std::string& name) {
  OwnedChain chain{allocated(nftnl_chain_alloc())};
  nftnl_chain_set_u32(chain.get(), NFTNL_CHAIN_FAMILY, static_cast<std::uint32_t>(table.family));
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_TABLE, table.name.c_str());
  nftnl_chain_set_str(chain.get(), NFTNL_CHAIN_NAME, name.c_str());
  return chain;
}

OwnedSet setOf(const Table& table, const std::string& name) {
  OwnedSet set{allocated(nftnl_set_alloc())};
  nftnl_set_set_u32(set.get(), NFTNL_SET_FAMILY, static_cast<std::uint32_t>(table.family));
  nftnl_set_set_str(set.get(), NFTNL_SET_TABLE, table.name.c_str());
  nftnl_set_set_str(set.get(), NFTNL_SET_NAME, name.c_str());
  return set;
}

OwnedRule allRulesOf(const Table& table, const std::string& chain) {
  OwnedRule all{allocated(nftnl_rule_alloc())};
  nftnl_rule_set_str(all.get(), NFTNL_RULE_TABLE, table.name.c_str());
  nftnl_rule_set_str(all.get(), NFTNL_RULE_CHAIN, chain.c_str());
  return all;
}

void getTable(Batch& batch, const Table& table) {
  batch.append("find nf_tables table " + table.name, roomFor(table.name), [&](char* room) {
    const OwnedTable named{allocated(nftnl_table_alloc())};
    nftnl_table_set_str(named.get(), NFTNL_TABLE_NAME, table.name.c_str());
    nftnl_table_nlmsg_build_payload(putHeader(room, NFT_MSG_GETTABLE, table, 0), named.get());
  });
}

void getChain(Batch& batch, const Table& table, const std::string& name) {
  batch.append("find nf_tables chain " + name, roomFor(table.name, name), [&](char* room) {
    const OwnedChain named = chainOf(table, name);
    nftnl_chain_nlmsg_build_payload(putHeader(room, NFT_MSG_GETCHAIN, table, 0), named.get());
  });
}

void getSet(Batch& batch, const Table& table, const std::string& name) {
  batch.append("find nf_tables set " + name, roomFor(table.name, name), [&](char* room) {
    const OwnedSet named = setOf(table, name);
    nftnl_set_nlmsg_build_payload(putHeader(room, NFT_MSG_GETSET, table, 0), named.get());
  });
}

void getElement(Batch& batch, const Table& table, const std::string& set, const Element& element) {
  const Element key = keyOf(element);
  batch.append("find element of nf_tables set " + set, roomFor(table.name, set) + roomFor(key), [&](char* room) {
    const OwnedSet part = setOf(table, set);
    nftnl_set_elem_add(part.get(), elementOf(key));
    nftnl_set_elems_nlmsg_build_payload(putHeader(room, NFT_MSG_GETSETELEM, table, 0), part.get());
  });
}

void dumpRules(Batch& batch, const Table& table, const std::string& chain) {
  batch.append("list rules of nf_tables chain " + chain, roomFor(table.name, chain), [&](char* room) {
    const OwnedRule all = allRulesOf(table, chain);
    nftnl_rule_nlmsg_build_payload(putHeader(room, NFT_MSG_GETRULE, table, NLM_F_DUMP | NLM_F_ACK), all.get());
  });
}

void dumpElements(Batch& batch, const Table& table, const std::string& set) {
  batch.append("list elements of nf_tables set " + set, roomFor(table.name, set), [&](char* room) {
    const OwnedSet whole = setOf(table, set);
    nftnl_set_elems_nlmsg_build_payload(putHeader(room, NFT_MSG_GETSETELEM, table, NLM_F_DUMP | NLM_F_ACK),
                                        whole.get());
  });
}

// As nft writes it: type 0 (for chains, rules and elements), length, text with NUL.
std::vector<std::uint8_t> commentData(const std::string& comment) {
  static_assert(int{NFTNL_UDATA_CHAIN_COMMENT} == 0 && int{NFTNL_UDATA_RULE_COMMENT} == 0 &&
                int{NFTNL_UDATA_SET_ELEM_COMMENT} == 0);
  const std::string text = comment.substr(0, kLongestComment);
  std::vector<std::uint8_t> userData{0, static_cast<std::uint8_t>(text.size() + 1)};
  userData.insert(userData.end(), text.begin(), text.end());
  userData.push_back(0);
  return userData;
}

std::string commentIn(std::span<const std::uint8_t> userData) {
  constexpr std::size_t kTypeAndLength = 2;
  while (userData.size() > kTypeAndLength) {
    const std::size_t length = std::min<std::size_t>(userData[1], userData.size() - kTypeAndLength);
    const auto content = userData.subspan(kTypeAndLength, length);
    if (userData[0] == 0) {
      const std::string text(content.begin(), content.end());
      return text.substr(0, text.find('\0'));
    }
    userData = userData.subspan(kTypeAndLength + length);
  }
  return {};
}

void setComment(nftnl_chain& chain, const std::string& comment) {
  const auto userData = commentData(comment);
  nftnl_chain_set_data(&chain, NFTNL_CHAIN_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
}

std::string commentOf(const nftnl_chain& chain) {
  std::uint32_t length = 0;
  const auto* bytes = static_cast<const std::uint8_t*>(nftnl_chain_get_data(&chain, NFTNL_CHAIN_USERDATA, &length));
  return bytes == nullptr ? std::string{} : commentIn({bytes, length});
}

std::size_t roomFor(const Element& element) {
  constexpr std::size_t kFixed =
      64;  // the nests of element, key, data and verdict; flags, verdict code, comment's type
  return kFixed + roomOfAttribute(element.key.size()) + roomOfAttribute(element.data.size()) +
         roomOfAttribute(element.jumpTo.size()) + roomOfAttribute(element.object.size()) +
         roomOfAttribute(element.comment.size());
}

Element keyOf(const Element& element) { return {.key = element.key, .intervalEnd = element.intervalEnd}; }

nftnl_set_elem* elementOf(const Element& element) {
  nftnl_set_elem* made = allocated(nftnl_set_elem_alloc());
  const auto set = [made](std::uint16_t attribute, std::span<const std::uint8_t> bytes) {
    // libnftnl copies any length into its array of that size. No key or data of the kernel is longer.
    const auto some = bytes.first(std::min<std::size_t>(bytes.size(), NFT_DATA_VALUE_MAXLEN));
    nftnl_set_elem_set(made, attribute, some.data(), static_cast<std::uint32_t>(some.size()));
  };
  set(NFTNL_SET_ELEM_KEY, element.key);
  if (!element.data.empty()) set(NFTNL_SET_ELEM_DATA, element.data);
  if (!element.jumpTo.empty()) {
    nftnl_set_elem_set_u32(made, NFTNL_SET_ELEM_VERDICT, static_cast<std::uint32_t>(NFT_JUMP));
    nftnl_set_elem_set_str(made, NFTNL_SET_ELEM_CHAIN, element.jumpTo.c_str());
  }
  if (!element.object.empty()) nftnl_set_elem_set_str(made, NFTNL_SET_ELEM_OBJREF, element.object.c_str());
  if (element.intervalEnd) nftnl_set_elem_set_u32(made, NFTNL_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  if (!element.comment.empty()) {
    const auto userData = commentData(element.comment);
    nftnl_set_elem_set(made, NFTNL_SET_ELEM_USERDATA, userData.data(), static_cast<std::uint32_t>(userData.size()));
  }
  return made;
}

Element elementOf(nftnl_set_elem& found) {
  const auto bytes = [&found](std::uint16_t attribute) {
    std::uint32_t length = 0;
    const auto* data = static_cast<const std::uint8_t*>(nftnl_set_elem_get(&found, attribute, &length));
    return data == nullptr ? std::vector<std::uint8_t>{} : std::vector<std::uint8_t>(data, data + length);
  };
  Element element{.key = bytes(NFTNL_SET_ELEM_KEY),
                  .data = bytes(NFTNL_SET_ELEM_DATA),
                  .comment = commentIn(bytes(NFTNL_SET_ELEM_USERDATA))};
  const bool jumps = nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_CHAIN) &&
                     nftnl_set_elem_get_u32(&found, NFTNL_SET_ELEM_VERDICT) == static_cast<std::uint32_t>(NFT_JUMP);
  if (jumps) { element.jumpTo = nftnl_set_elem_get_str(&found, NFTNL_SET_ELEM_CHAIN); }
  if (nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_OBJREF)) {
    element.object = nftnl_set_elem_get_str(&found, NFTNL_SET_ELEM_OBJREF);
  }
  if (nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_FLAGS)) {
    element.intervalEnd =
        (nftnl_set_elem_get_u32(&found, NFTNL_SET_ELEM_FLAGS) & std::uint32_t{NFT_SET_ELEM_INTERVAL_END}) != 0;
  }
  return element;
}

std::vector<Element> elementsOf(const nftnl_set& set) {
  std::vector<Element> elements;
  const Owned<nftnl_set_elems_iter, nftnl_set_elems_iter_destroy> all{allocated(nftnl_set_elems_iter_create(&set))};
  while (nftnl_set_elem* element = nftnl_set_elems_iter_next(all.get())) elements.push_back(elementOf(*element));
  return elements;
}

}  // namespace netlib::nft

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

// As nft writes it: type 0 (for chains and rules), length, text with NUL.
std::vector<std::uint8_t> commentData(const std::string& comment) {
  static_assert(int{NFTNL_UDATA_CHAIN_COMMENT} == 0 && int{NFTNL_UDATA_RULE_COMMENT} == 0);
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
  if (nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_FLAGS)) {
    element.intervalEnd =
        (nftnl_set_elem_get_u32(&found, NFTNL_SET_ELEM_FLAGS) & std::uint32_t{NFT_SET_ELEM_INTERVAL_END}) != 0;
  }
  return element;
}

}  // namespace netlib::nft

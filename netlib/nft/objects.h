// Conversion to libnftnl's objects. Only for netlib/nft/*.cpp.
#pragma once

#include <memory>
#include <new>

#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include "netlib/nft/transaction.h"

namespace netlib::nft {

/// Upper bounds in bytes of what libnftnl writes for one object (with three names of 255 bytes and a comment: 1.5 KiB)
/// and for one element (an IPv6 key and data: 120 bytes). libnftnl checks no bounds.
inline constexpr std::size_t kObjectRoom = 2048;
inline constexpr std::size_t kElementRoom = 192;

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

/// nlmsghdr and nfgenmsg of a request.
nlmsghdr* putHeader(char* room, unsigned type, const Table& table, unsigned flags);

/// With table and name only.
OwnedChain chainOf(const Table& table, const std::string& name);
OwnedSet setOf(const Table& table, const std::string& name);
OwnedRule allRulesOf(const Table& table, const std::string& chain);

/// The comment of a chain or rule in nft's user data, cut to kLongestComment; and its inverse.
std::vector<std::uint8_t> commentData(const std::string& comment);
std::string commentIn(std::span<const std::uint8_t> userData);
void setComment(nftnl_chain& chain, const std::string& comment);
std::string commentOf(const nftnl_chain& chain);

/// For `nft list`.
void setUserData(nftnl_set& set, const Set& described);

/// For nftnl_set_elem_add(), which becomes the owner.
nftnl_set_elem* elementOf(const Element& element);
Element elementOf(nftnl_set_elem& found);

}  // namespace netlib::nft

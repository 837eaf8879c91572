// Conversion to libnftnl's objects. Only for netlib/nft/*.cpp.
#pragma once

#include <memory>
#include <new>

#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <libnftnl/udata.h>
#include <linux/netfilter/nf_tables.h>

#include "netlib/nft/transaction.h"

namespace netlib::nft {

/// An upper bound in bytes of a message about an object: its headers, its attributes of fixed size, and what is as long
/// as `parts`: names, user data. libnftnl checks no bounds.
template <class... Parts>
std::size_t roomFor(const Parts&... parts) {
  constexpr std::size_t kFixed = 256;
  return (kFixed + ... + roomOfAttribute(parts.size()));
}
/// What an element adds to it.
std::size_t roomFor(const Element& element);

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
using OwnedObject = Owned<nftnl_obj, nftnl_obj_free>;

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

/// Requests for one object, which fail with ENOENT where there is none. Without NLM_F_ACK: see Batch::begin().
void getTable(Batch& batch, const Table& table);
void getChain(Batch& batch, const Table& table, const std::string& name);
void getSet(Batch& batch, const Table& table, const std::string& name);
void getElement(Batch& batch, const Table& table, const std::string& set, const Element& element);
/// Requests for all of them, each alone in its batch; without a chain, or without a table, there are none.
void dumpRules(Batch& batch, const Table& table, const std::string& chain);
void dumpElements(Batch& batch, const Table& table, const std::string& set);

/// The comment of a chain, rule or element in nft's user data, cut to kLongestComment; and its inverse.
std::vector<std::uint8_t> commentData(const std::string& comment);
std::string commentIn(std::span<const std::uint8_t> userData);
void setComment(nftnl_chain& chain, const std::string& comment);
std::string commentOf(const nftnl_chain& chain);

/// For `nft list`; often empty.
std::vector<std::uint8_t> userDataOf(const Set& described);

/// What names an element in its set: to delete or to find it.
Element keyOf(const Element& element);

/// For nftnl_set_elem_add(), which becomes the owner.
nftnl_set_elem* elementOf(const Element& element);
Element elementOf(nftnl_set_elem& found);
std::vector<Element> elementsOf(const nftnl_set& set);

/// "ifname . ipv4_addr (20 bytes)"
std::string typeText(std::uint32_t type, std::uint32_t length);

}  // namespace netlib::nft

#include "plugin/firewall/table_owner.h"

#include <cstring>

#include "netlib/base/hash.h"

#include "plugin/context/link_owner.h"

namespace pons::tables {

namespace nft = netlib::nft;

namespace {

constexpr const char* kLedger = "ledger";

constexpr std::size_t kLength = sizeof(std::uint32_t);

nft::Element emptyElement() {
  return {.key = std::vector<std::uint8_t>(kLength), .data = std::vector<std::uint8_t>(kLength)};
}

nft::Element elementOf(const Ledger& ledger) {
  nft::Element element = emptyElement();
  const auto hash = static_cast<std::uint32_t>(netlib::hashOf(ledger.path()));
  std::memcpy(element.data.data(), &hash, kLength);
  element.comment = ledgerWord(ledger.path());
  return element;
}

netlib::Result<std::optional<nft::Element>> findOwner(netlib::Socket& netfilter, TableFamily family) {
  return nft::findElement(netfilter, tableOf(family), kLedger, emptyElement());
}

/// Of another ledger.
netlib::Result<std::optional<nft::Element>> otherOwner(Host& host, TableFamily family) {
  auto owner = TRY(findOwner(host.netfilter, family));
  if (owner && owner->data == elementOf(host.ledger).data) owner.reset();
  return owner;
}

std::string textOf(TableFamily family) { return std::string{"nf_tables table "} + nameOf(family) + " pons"; }

void appendMap(nft::Transaction& transaction, TableFamily family, nft::Transaction::Existing existing) {
  transaction.addSet(
      tableOf(family),
      {.name = kLedger, .keyType = nft::kMark, .keyLength = kLength, .dataType = nft::kMark, .dataLength = kLength},
      existing);
}

void append(nft::Transaction& transaction, TableFamily family, const nft::Element& owner) {
  transaction.addElements(tableOf(family), kLedger, {&owner, 1});
}

netlib::Result<> commitOnce(Host& host, const std::set<TableFamily>& families, const Changes& changes) {
  nft::Transaction transaction;
  for (const TableFamily family : families) appendOwner(transaction, family, host.ledger);
  changes(transaction);
  return transaction.commit(host.netfilter);
}

/// By family, the owner that a table must have if it exists.
using Owners = std::map<TableFamily, nft::Element>;

netlib::Result<> replaceOnce(Host& host, const Owners& owners, const Changes& contents) {
  nft::Transaction transaction;
  for (const auto& [family, owner] : owners) {
    // Deleting fails where there is none, so it is added first.
    transaction.addTable(tableOf(family));
    appendMap(transaction, family, nft::Transaction::Existing::Kept);
    append(transaction, family, owner);
    transaction.deleteTable(tableOf(family));
  }
  contents(transaction);
  return transaction.commit(host.netfilter);
}

}  // namespace

nft::Table tableOf(TableFamily family) { return {family, "pons"}; }

const char* nameOf(TableFamily family) {
  if (family == TableFamily::Bridge) return "bridge";
  return family == TableFamily::Ipv4 ? "ip" : "ip6";
}

void appendLedgerMap(nft::Transaction& transaction, TableFamily family) {
  appendMap(transaction, family, nft::Transaction::Existing::Refused);
}

void appendOwner(nft::Transaction& transaction, TableFamily family, const Ledger& ledger) {
  append(transaction, family, elementOf(ledger));
}

netlib::Result<std::optional<Owner>> ownerOf(Host& host, TableFamily family) {
  const auto owner = TRY(findOwner(host.netfilter, family));
  if (!owner) return std::optional<Owner>{};
  return std::optional<Owner>{{owner->comment, owner->data == elementOf(host.ledger).data}};
}

netlib::Result<std::set<std::string>> owners(netlib::Socket& netfilter) {
  std::set<std::string> ledgers;
  for (const TableFamily family : kAll) {
    if (const auto owner = TRY(findOwner(netfilter, family))) ledgers.insert(owner->comment);
  }
  return ledgers;
}

netlib::Result<> commitAsOwner(Host& host, const std::set<TableFamily>& families, const Changes& changes) {
  auto committed = commitOnce(host, families, changes);
  if (!committed.failedWith(EEXIST)) return committed;
  for (const TableFamily family : families) {
    const auto other = TRY(otherOwner(host, family));
    if (!other) continue;
    if (!TRY(isAbandoned(host, other->comment))) return netlib::fail(belongsToOther(textOf(family), other->comment));
    return netlib::fail(
        netlib::Error::fromErrno(textOf(family) + " of the removed state directory " + other->comment, ENOENT));
  }
  return committed;
}

netlib::Result<> removeAsOwner(Host& host, TableFamily family, const Changes& changes) {
  auto removed = commitOnce(host, {family}, changes);
  if (!removed.failedWith(EEXIST) && !removed.failedWith(ENOENT)) return removed;
  const auto owner = TRY(ownerOf(host, family));
  if (owner && !owner->isOurs) return {};
  return owner || removed.failedWith(EEXIST) ? removed : commitOnce(host, {}, changes);
}

netlib::Result<> replaceTables(Host& host, const std::set<TableFamily>& families, const Changes& contents) {
  Owners owners;
  for (const TableFamily family : families) owners.emplace(family, elementOf(host.ledger));
  auto replaced = replaceOnce(host, owners, contents);
  if (!replaced.failedWith(EEXIST)) return replaced;
  for (auto& [family, owner] : owners) {
    const auto other = TRY(otherOwner(host, family));
    if (!other) continue;
    if (!TRY(isAbandoned(host, other->comment))) return netlib::fail(belongsToOther(textOf(family), other->comment));
    host.note("table-replaced", textOf(family) + " of the removed state directory " + other->comment + " is replaced");
    owner = *other;
  }
  return replaceOnce(host, owners, contents);
}

}  // namespace pons::tables

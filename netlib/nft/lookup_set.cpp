#include "netlib/nft/lookup_set.h"

#include "netlib/nft/objects.h"

namespace netlib::nft {

using filter::Match;

namespace {

std::vector<std::uint8_t> bytesOf(nftnl_set_elem& element, std::uint16_t attribute) {
  std::uint32_t length = 0;
  const auto* data = static_cast<const std::uint8_t*>(nftnl_set_elem_get(&element, attribute, &length));
  return data == nullptr ? std::vector<std::uint8_t>{} : std::vector<std::uint8_t>(data, data + length);
}

LookupSet::Element lookupElementOf(nftnl_set_elem& found) {
  const std::uint32_t flags =
      nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_FLAGS) ? nftnl_set_elem_get_u32(&found, NFTNL_SET_ELEM_FLAGS) : 0;
  LookupSet::Element element{.key = bytesOf(found, NFTNL_SET_ELEM_KEY),
                             .keyEnd = bytesOf(found, NFTNL_SET_ELEM_KEY_END),
                             .data = bytesOf(found, NFTNL_SET_ELEM_DATA),
                             .isEnd = (flags & std::uint32_t{NFT_SET_ELEM_INTERVAL_END}) != 0,
                             .isCatchAll = (flags & std::uint32_t{NFT_SET_ELEM_CATCHALL}) != 0};
  if (nftnl_set_elem_is_set(&found, NFTNL_SET_ELEM_VERDICT)) {
    element.verdict = nftnl_set_elem_get_u32(&found, NFTNL_SET_ELEM_VERDICT);
  }
  if (const char* chain = nftnl_set_elem_get_str(&found, NFTNL_SET_ELEM_CHAIN)) element.chain = chain;
  return element;
}

Match matchOfField(Bytes have, std::span<const std::uint8_t> first, std::span<const std::uint8_t> last) {
  if (std::ranges::equal(first, last)) return equals(have, first);
  const auto withFirst = compare(have, first);
  const auto withLast = compare(have, last);
  if (!withFirst || !withLast) return Match::Unknown;
  return *withFirst >= 0 && *withLast <= 0 ? Match::Yes : Match::No;
}

}  // namespace

Result<LookupSet> LookupSet::read(Socket& netfilter, const Table& table, const std::string& name) {
  Batch named;
  getSet(named, table, name);
  const auto described = TRY(netfilter.request(named));
  const OwnedSet found{allocated(nftnl_set_alloc())};
  const auto& messages = described.front().messages;
  if (messages.empty() || nftnl_set_nlmsg_parse(&messages.front().header(), found.get()) < 0) {
    return fail(Cause::Damaged, "cannot parse nf_tables set " + name);
  }
  LookupSet set;
  set.keyLength_ = nftnl_set_get_u32(found.get(), NFTNL_SET_KEY_LEN);
  std::uint32_t count = 0;
  const auto* fields = static_cast<const std::uint8_t*>(nftnl_set_get_data(found.get(), NFTNL_SET_DESC_CONCAT, &count));
  if (fields != nullptr) set.fields_.assign(fields, fields + count);
  std::erase(set.fields_, 0);
  const bool isInterval = (nftnl_set_get_u32(found.get(), NFTNL_SET_FLAGS) & std::uint32_t{NFT_SET_INTERVAL}) != 0;
  set.hasIntervals_ = isInterval && set.fields_.size() < 2;

  Batch dump;
  dumpElements(dump, table, name);
  const auto answers = TRY(netfilter.request(dump));
  for (const Message& message : answers.front().messages) {
    const OwnedSet part{allocated(nftnl_set_alloc())};
    if (nftnl_set_elems_nlmsg_parse(&message.header(), part.get()) < 0) {
      return fail(Cause::Damaged, "cannot parse elements of nf_tables set " + name);
    }
    const Owned<nftnl_set_elems_iter, nftnl_set_elems_iter_destroy> all{
        allocated(nftnl_set_elems_iter_create(part.get()))};
    while (nftnl_set_elem* element = nftnl_set_elems_iter_next(all.get())) {
      set.elements_.push_back(lookupElementOf(*element));
    }
  }
  // An interval may begin where another one ends.
  std::ranges::sort(set.elements_, {}, [](const Element& one) { return std::pair{one.key, !one.isEnd}; });
  return set;
}

LookupSet::Found LookupSet::find(Bytes key) const {
  if (hasIntervals_) return findInterval(key);
  Found found;
  const Element* other = nullptr;
  for (const Element& element : elements_) {
    if (element.isCatchAll) other = &element;
    const Match match = element.isCatchAll ? Match::No : matchOf(element, key);
    if (match == Match::Yes) return {match, &element};
    found.match = std::max(found.match, match);
  }
  return found.match == Match::No && other != nullptr ? Found{Match::Yes, other} : found;
}

LookupSet::Found LookupSet::findInterval(Bytes key) const {
  const Element* last = nullptr;
  const Element* other = nullptr;
  for (const Element& element : elements_) {
    if (element.isCatchAll) {
      other = &element;
      continue;
    }
    const auto order = compare(key, element.key);
    if (!order) return {Match::Unknown};
    if (*order < 0) break;
    last = &element;
  }
  if (last != nullptr && !last->isEnd) return {Match::Yes, last};
  return other != nullptr ? Found{Match::Yes, other} : Found{};
}

Match LookupSet::matchOf(const Element& element, Bytes key) const {
  if (element.keyEnd.empty()) return equals(key, element.key);
  if (fields_.empty()) return Match::Unknown;
  Match match = Match::Yes;
  std::size_t offset = 0;
  for (const std::size_t length : fields_) {
    const std::size_t end = offset + length;
    if (end > key.size() || end > element.key.size() || end > element.keyEnd.size()) return Match::Unknown;
    match = std::min(match, matchOfField(key.subspan(offset, length), std::span{element.key}.subspan(offset, length),
                                         std::span{element.keyEnd}.subspan(offset, length)));
    offset += (length + 3) / 4 * 4;  // padded to whole registers
  }
  return match;
}

}  // namespace netlib::nft

#include "netlib/filter/conntrack.h"

#include <algorithm>
#include <array>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace netlib::conntrack {

namespace {

/// Bits of CTA_FILTER_*_FLAGS: the fields of the tuple to compare. Not in the kernel's UAPI headers
/// (net/netfilter/nf_internals.h), but libnetfilter_conntrack sends them too.
constexpr std::uint32_t kSourceAddress = 1U << 0U;
constexpr std::uint32_t kProtocol = 1U << 3U;
constexpr std::uint32_t kSourcePort = 1U << 4U;
constexpr std::uint32_t kDestinationPort = 1U << 5U;

nfgenmsg familyHeader(Family family) {
  nfgenmsg header{};
  header.nfgen_family = static_cast<std::uint8_t>(family);
  header.version = NFNETLINK_V0;
  return header;
}

constexpr unsigned messageType(unsigned message) { return NFNL_SUBSYS_CTNETLINK << 8 | message; }

std::uint16_t sourceAttribute(Family family) { return family == Family::Ipv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC; }

/// One port of a tuple.
struct Port {
  std::uint16_t attribute;  ///< CTA_PROTO_SRC_PORT or CTA_PROTO_DST_PORT
  std::uint8_t protocol;
  std::uint16_t number;
};

void putTuple(Batch& batch, std::uint16_t direction, const std::optional<IpAddress>& source,
              const std::optional<Port>& port) {
  const auto tuple = batch.nest(direction);
  {
    const auto ip = batch.nest(CTA_TUPLE_IP);
    if (source) batch.put(sourceAttribute(source->family()), source->bytes());
  }
  if (!port) return;
  const auto protocol = batch.nest(CTA_TUPLE_PROTO);
  batch.putU8(CTA_PROTO_NUM, port->protocol);
  const std::array<std::uint8_t, 2> big{static_cast<std::uint8_t>(port->number >> 8),
                                        static_cast<std::uint8_t>(port->number)};
  batch.put(port->attribute, big);
}

std::optional<Port> originalPortOf(const Filter& filter) {
  if (!filter.ports) return std::nullopt;
  return Port{CTA_PROTO_DST_PORT, filter.ports->protocol, filter.ports->originalDestination};
}

std::optional<Port> replyPortOf(const Filter& filter) {
  if (!filter.ports) return std::nullopt;
  return Port{CTA_PROTO_SRC_PORT, filter.ports->protocol, filter.ports->replySource};
}

/// CTA_TUPLE_* and CTA_FILTER: Linux compares those fields of the tuples that CTA_FILTER_*_FLAGS name.
void putFilter(Batch& batch, const Filter& filter) {
  putTuple(batch, CTA_TUPLE_ORIG, filter.originalSource, originalPortOf(filter));
  if (filter.replySource) putTuple(batch, CTA_TUPLE_REPLY, filter.replySource, replyPortOf(filter));
  const auto flags = batch.nest(CTA_FILTER);
  const std::uint32_t original = filter.ports ? kProtocol | kDestinationPort : 0U;
  const std::uint32_t reply = filter.ports ? kProtocol | kSourcePort : 0U;
  batch.putU32(CTA_FILTER_ORIG_FLAGS, (filter.originalSource ? kSourceAddress : 0U) | original);
  batch.putU32(CTA_FILTER_REPLY_FLAGS, filter.replySource ? kSourceAddress | reply : 0U);
}

bool isSource(const Attributes& tuple, const std::optional<IpAddress>& wanted) {
  if (!wanted) return true;
  const auto bytes = tuple.nested(CTA_TUPLE_IP).bytes(sourceAttribute(wanted->family()));
  return bytes && IpAddress::fromBytes(*bytes) == wanted;
}

bool isPort(const Attributes& tuple, const std::optional<Port>& wanted) {
  if (!wanted) return true;
  const Attributes protocol = tuple.nested(CTA_TUPLE_PROTO);
  const auto port = protocol.bytes(wanted->attribute);
  return protocol.u8(CTA_PROTO_NUM) == wanted->protocol && port && port->size() == 2 &&
         ((*port)[0] << 8 | (*port)[1]) == wanted->number;
}

bool matches(const Filter& filter, const Attributes& original, const Attributes& reply) {
  return isSource(original, filter.originalSource) && isPort(original, originalPortOf(filter)) &&
         isSource(reply, filter.replySource) && isPort(reply, replyPortOf(filter));
}

/// Of this network namespace, in both families. The kernel has counted them; a dump walks the whole hash table, also if
/// that is empty (5 ms with 262,144 buckets).
bool hasNoEntry(Socket& netfilter) {
  Batch batch;
  batch.begin(messageType(IPCTNL_MSG_CT_GET_STATS), NLM_F_ACK, familyHeader(Family::Ipv4), "count conntrack entries");
  const auto answers = netfilter.request(batch);
  return answers && std::ranges::any_of(answers->front().messages, [](const Message& message) {
           return message.attributes<nfgenmsg>().u32(CTA_STATS_GLOBAL_ENTRIES) == 0U;
         });
}

/// What was listed when the kernel was asked for the entries of one filter.
struct Listing {
  std::vector<Message> wanted;  ///< those that match any of the filters
  bool isWhole = false;         ///< the kernel did not select: it has listed all entries, or all that could match
};

Result<Listing> list(Socket& netfilter, const Filter& asked, std::span<const Filter> filters) {
  Listing listing;
  Filter addresses = asked;
  addresses.ports.reset();  // the kernel compares those of TCP and UDP only
  const Keep isWanted = [&](std::span<const std::uint8_t> message) {
    const Attributes attributes = Message::attributesIn<nfgenmsg>(message);
    const Attributes original = attributes.nested(CTA_TUPLE_ORIG);
    const Attributes reply = attributes.nested(CTA_TUPLE_REPLY);
    const auto isOf = [&](const Filter& filter) { return matches(filter, original, reply); };
    listing.isWhole |= !isOf(addresses);
    return std::ranges::any_of(filters, isOf);
  };
  Batch dump;
  dump.begin(messageType(IPCTNL_MSG_CT_GET), NLM_F_DUMP | NLM_F_ACK, familyHeader(asked.family),
             "list conntrack entries");
  putFilter(dump, asked);
  auto answers = TRY(netfilter.request(dump, isWanted));
  listing.wanted = std::move(answers.front().messages);
  return listing;
}

/// By the tuple, which names its zone if that is of one direction, and the ID, as another connection may have the tuple
/// by now.
void appendDelete(Batch& batch, const Message& entry, Family family) {
  const Attributes attributes = entry.attributes<nfgenmsg>();
  const auto original = attributes.bytes(CTA_TUPLE_ORIG);
  const auto id = attributes.u32(CTA_ID);
  if (!original || !id) return;
  batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(family), "delete conntrack entry");
  batch.put(CTA_TUPLE_ORIG | NLA_F_NESTED, *original);
  if (const auto zone = attributes.bytes(CTA_ZONE)) batch.put(CTA_ZONE, *zone);
  batch.putU32(CTA_ID, *id);
}

Result<> removeEach(Socket& netfilter, Family family, std::span<const Message> entries) {
  constexpr std::size_t kAtOnce = 500;  // a datagram of them fits into the default send buffer
  while (!entries.empty()) {
    const auto some = entries.first(std::min(kAtOnce, entries.size()));
    entries = entries.subspan(some.size());
    Batch batch;
    for (const Message& entry : some) appendDelete(batch, entry, family);
    for (const Answer& answer : TRY(netfilter.exchange(batch))) {
      // ENOENT: it has expired in the meantime.
      if (answer.error != 0 && answer.error != ENOENT) return fail(errorOf(answer, "delete conntrack entry"));
    }
  }
  return {};
}

/// EINVAL before Linux 6.8, which takes the tuple for that of one entry, and refuses it as incomplete: the table is not
/// flushed. So there is a CTA_TUPLE_ORIG in any filter.
Result<> removeByFilter(Socket& netfilter, std::span<const Filter> filters) {
  Batch batch;
  for (const Filter& filter : filters) {
    batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(filter.family), "delete conntrack entries");
    putFilter(batch, filter);
  }
  TRY(netfilter.request(batch));
  return {};
}

Result<> removeOfFamily(Socket& netfilter, Family family, std::span<const Filter> filters) {
  if (filters.empty()) return {};
  // Never for IPv6: see removeListed(). It would delete all other entries.
  if (family == Family::Ipv6) return removeListed(netfilter, family, filters);
  const auto removed = removeByFilter(netfilter, filters);
  return removed.failedWith(EINVAL) ? removeListed(netfilter, family, filters) : removed;
}

}  // namespace

Result<> removeListed(Socket& netfilter, Family family, std::span<const Filter> filters) {
  if (hasNoEntry(netfilter)) return {};
  std::vector<Filter> asked{filters.begin(), filters.end()};
  // ctnetlink_filter_match_tuple() of Linux has the comparison of IPv6 addresses inverted (5.8 to 6.18 at least), and
  // so lists all entries that are not from this address. No entry is: packets from :: are not forwarded, and those of
  // neighbour discovery not tracked. A kernel that compares rightly lists none.
  if (family == Family::Ipv6) {
    asked.insert(asked.begin(), {.family = family, .originalSource = IpAddress::unspecified(family)});
  }
  for (const Filter& filter : asked) {
    const Listing listing = TRY(list(netfilter, filter, filters));
    TRY(removeEach(netfilter, family, listing.wanted));
    if (listing.isWhole) break;
  }
  return {};
}

Result<> remove(Socket& netfilter, std::span<const Filter> filters) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    std::vector<Filter> some;
    std::ranges::copy_if(filters, std::back_inserter(some), [family](const Filter& f) { return f.family == family; });
    TRY(removeOfFamily(netfilter, family, some));
  }
  return {};
}

}  // namespace netlib::conntrack

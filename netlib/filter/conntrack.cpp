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

void appendDelete(Batch& batch, const Filter& filter) {
  batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(filter.family), "delete conntrack entries");
  // A kernel without CTA_FILTER for deletion parses this as the tuple of one entry and refuses it as incomplete
  // (EINVAL), so it does not flush the table.
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

/// Appends the deletion of the listed entry if it matches.
void appendDeleteIfMatching(Batch& batch, const Message& message, Family family, std::span<const Filter> filters) {
  const Attributes attributes = message.attributes<nfgenmsg>();
  const auto originalBytes = attributes.bytes(CTA_TUPLE_ORIG);
  const auto id = attributes.u32(CTA_ID);
  if (!originalBytes || !id) return;
  const Attributes original{*originalBytes};
  const Attributes reply = attributes.nested(CTA_TUPLE_REPLY);
  if (std::ranges::none_of(filters, [&](const Filter& filter) { return matches(filter, original, reply); })) return;
  batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(family), "delete conntrack entry");
  batch.put(CTA_TUPLE_ORIG | NLA_F_NESTED, *originalBytes);
  batch.putU32(CTA_ID, *id);
}

Result<> listAndRemove(Socket& netfilter, Family family, std::span<const Filter> filters) {
  Batch dump;
  dump.begin(messageType(IPCTNL_MSG_CT_GET), NLM_F_DUMP | NLM_F_ACK, familyHeader(family), "list conntrack entries");
  const auto flows = TRY(netfilter.request(dump));

  Batch batch;
  for (const Message& message : flows.front().messages) appendDeleteIfMatching(batch, message, family, filters);
  if (batch.empty()) return {};
  for (const Answer& answer : TRY(netfilter.exchange(batch))) {
    // ENOENT: it has expired in the meantime.
    if (answer.error != 0 && answer.error != ENOENT) return fail(errorOf(answer, "delete conntrack entry"));
  }
  return {};
}

/// EINVAL: kernels before 6.8.
Result<> removeByFilter(Socket& netfilter, std::span<const Filter> filters) {
  Batch batch;
  for (const Filter& filter : filters) appendDelete(batch, filter);
  TRY(netfilter.request(batch));
  return {};
}

}  // namespace

Result<> remove(Socket& netfilter, std::span<const Filter> filters) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    std::vector<Filter> some;
    std::ranges::copy_if(filters, std::back_inserter(some), [family](const Filter& f) { return f.family == family; });
    if (some.empty()) continue;
    // Kernel bug (ctnetlink_filter_match_tuple(), up to 6.18 at least): the comparison of IPv6 addresses is inverted,
    // so it would delete all other entries.
    const bool canFilter = family == Family::Ipv4;
    const Result<> filtered = canFilter ? removeByFilter(netfilter, some) : Result<>{};
    if (!canFilter || filtered.failedWith(EINVAL)) {
      TRY(listAndRemove(netfilter, family, some));
    } else if (!filtered) {
      return filtered;
    }
  }
  return {};
}

}  // namespace netlib::conntrack

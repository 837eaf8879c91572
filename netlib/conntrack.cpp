#include "netlib/conntrack.h"

#include <algorithm>

#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace netlib::conntrack {

namespace {

/// Bits of CTA_FILTER_*_FLAGS: which parts of a tuple count. Private to the kernel (net/netfilter/nf_internals.h), but
/// part of its binary interface since libnetfilter_conntrack sends them.
enum FilterFlag : std::uint32_t {
  kSourceAddress = 1 << 0,
  kDestinationAddress = 1 << 1,
  kProtocol = 1 << 3,
  kDestinationPort = 1 << 5
};

struct Tuple {
  std::optional<IpAddress> source;
  std::optional<IpAddress> destination;
  std::optional<std::uint8_t> protocol;
  std::optional<std::uint16_t> destinationPort;
};

nfgenmsg familyHeader(Family family) {
  nfgenmsg header{};
  header.nfgen_family = static_cast<std::uint8_t>(family);
  header.version = NFNETLINK_V0;
  return header;
}

constexpr unsigned messageType(unsigned message) { return NFNL_SUBSYS_CTNETLINK << 8 | message; }

unsigned sourceAttribute(Family family) { return family == Family::Ipv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC; }
unsigned destinationAttribute(Family family) { return family == Family::Ipv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST; }

void putOriginalTuple(Batch& batch, const Filter& filter) {
  const auto tuple = batch.nest(CTA_TUPLE_ORIG);
  {
    const auto ip = batch.nest(CTA_TUPLE_IP);
    if (filter.originalSource) batch.put(CTA_IP_V4_SRC, filter.originalSource->bytes());
    if (filter.originalDestination) batch.put(CTA_IP_V4_DST, filter.originalDestination->bytes());
  }
  if (!filter.protocol) return;
  const auto protocol = batch.nest(CTA_TUPLE_PROTO);
  batch.putU8(CTA_PROTO_NUM, *filter.protocol);
  if (!filter.originalDestinationPort) return;
  const std::uint16_t port = htobe16(*filter.originalDestinationPort);
  batch.put(CTA_PROTO_DST_PORT, {reinterpret_cast<const std::uint8_t*>(&port), sizeof port});
}

void appendDelete(Batch& batch, const Filter& filter) {
  batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(filter.family), "delete tracked connections");
  // A kernel that does not know CTA_FILTER here takes this for the tuple of one flow, and refuses it: half of it is
  // missing. So it never flushes its whole table instead.
  putOriginalTuple(batch, filter);
  if (filter.replySource) {
    const auto tuple = batch.nest(CTA_TUPLE_REPLY);
    const auto ip = batch.nest(CTA_TUPLE_IP);
    batch.put(CTA_IP_V4_SRC, filter.replySource->bytes());
  }
  const auto flags = batch.nest(CTA_FILTER);
  batch.putU32(CTA_FILTER_ORIG_FLAGS,
               (filter.originalSource ? kSourceAddress : 0U) | (filter.originalDestination ? kDestinationAddress : 0U) |
                   (filter.protocol ? kProtocol : 0U) | (filter.originalDestinationPort ? kDestinationPort : 0U));
  batch.putU32(CTA_FILTER_REPLY_FLAGS, filter.replySource ? kSourceAddress : 0U);
}

Tuple tupleOf(const Attributes& tuple, Family family) {
  const Attributes ip = tuple.nested(CTA_TUPLE_IP);
  const Attributes protocol = tuple.nested(CTA_TUPLE_PROTO);
  Tuple result;
  if (const auto bytes = ip.bytes(sourceAttribute(family))) result.source = IpAddress::fromBytes(*bytes);
  if (const auto bytes = ip.bytes(destinationAttribute(family))) result.destination = IpAddress::fromBytes(*bytes);
  result.protocol = protocol.u8(CTA_PROTO_NUM);
  if (const auto bytes = protocol.bytes(CTA_PROTO_DST_PORT); bytes && bytes->size() == sizeof(std::uint16_t)) {
    result.destinationPort = static_cast<std::uint16_t>((*bytes)[0] << 8 | (*bytes)[1]);
  }
  return result;
}

bool matches(const Filter& filter, const Tuple& original, const Tuple& reply) {
  return (!filter.protocol || filter.protocol == original.protocol) &&
         (!filter.originalSource || filter.originalSource == original.source) &&
         (!filter.originalDestination || filter.originalDestination == original.destination) &&
         (!filter.originalDestinationPort || filter.originalDestinationPort == original.destinationPort) &&
         (!filter.replySource || filter.replySource == reply.source);
}

/// Appends the deletion of the flow that the kernel tells of, where it matches.
void appendDeleteIfMatching(Batch& batch, const Message& message, Family family, std::span<const Filter> filters) {
  const Attributes attributes = message.attributes<nfgenmsg>();
  const auto originalBytes = attributes.bytes(CTA_TUPLE_ORIG);
  const auto id = attributes.u32(CTA_ID);
  if (!originalBytes || !id) return;
  const Tuple original = tupleOf(Attributes{*originalBytes}, family);
  const Tuple reply = tupleOf(attributes.nested(CTA_TUPLE_REPLY), family);
  if (std::ranges::none_of(filters, [&](const Filter& filter) { return matches(filter, original, reply); })) return;
  batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(family), "delete tracked connection");
  batch.put(CTA_TUPLE_ORIG | NLA_F_NESTED, *originalBytes);
  batch.putU32(CTA_ID, *id);
}

Result<> listAndRemove(Socket& netfilter, Family family, std::span<const Filter> filters) {
  Batch dump;
  dump.begin(messageType(IPCTNL_MSG_CT_GET), NLM_F_DUMP | NLM_F_ACK, familyHeader(family), "list tracked connections");
  const auto flows = TRY(netfilter.request(dump));

  Batch batch;
  for (const Message& message : flows.front().messages) appendDeleteIfMatching(batch, message, family, filters);
  if (batch.empty()) return {};
  for (const Answer& answer : TRY(netfilter.exchange(batch))) {
    // ENOENT: it has ended meanwhile.
    if (answer.error != 0 && answer.error != ENOENT) return fail(errorOf(answer, "delete tracked connection"));
  }
  return {};
}

/// EINVAL where this kernel cannot.
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
    // The kernel's filter compares IPv6 addresses the wrong way round (ctnetlink_filter_match_tuple, still so in 6.18):
    // it would delete the flows of everybody else.
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

#include "netlib/conntrack.h"

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

/// One flow that the kernel told of: enough to name it again.
struct Flow {
  std::vector<std::uint8_t> originalTuple;
  std::uint32_t id;
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

void putAddresses(Batch& batch, Family family, const std::optional<IpAddress>& source,
                  const std::optional<IpAddress>& destination) {
  const auto ip = batch.nest(CTA_TUPLE_IP);
  if (source) batch.put(sourceAttribute(family), source->bytes());
  if (destination) batch.put(destinationAttribute(family), destination->bytes());
}

void putOriginalTuple(Batch& batch, const Filter& filter) {
  const auto tuple = batch.nest(CTA_TUPLE_ORIG);
  putAddresses(batch, filter.family, filter.originalSource, filter.originalDestination);
  if (!filter.protocol) return;
  const auto protocol = batch.nest(CTA_TUPLE_PROTO);
  batch.putU8(CTA_PROTO_NUM, *filter.protocol);
  if (!filter.originalDestinationPort) return;
  const std::uint16_t port = htobe16(*filter.originalDestinationPort);
  batch.put(CTA_PROTO_DST_PORT, {reinterpret_cast<const std::uint8_t*>(&port), sizeof port});
}

void putFilter(Batch& batch, const Filter& filter) {
  putOriginalTuple(batch, filter);
  if (filter.replySource) {
    const auto tuple = batch.nest(CTA_TUPLE_REPLY);
    putAddresses(batch, filter.family, filter.replySource, std::nullopt);
  }
  // The kernel compares IPv6 addresses the wrong way round (ctnetlink_filter_match_tuple, seen in 6.18): those are
  // compared here alone.
  const std::uint32_t address = filter.family == Family::Ipv4 ? kSourceAddress : 0U;
  const auto flags = batch.nest(CTA_FILTER);
  batch.putU32(CTA_FILTER_ORIG_FLAGS,
               (filter.originalSource ? kSourceAddress : 0U) | (filter.originalDestination ? kDestinationAddress : 0U) |
                   (filter.protocol ? kProtocol : 0U) | (filter.originalDestinationPort ? kDestinationPort : 0U));
  batch.putU32(CTA_FILTER_REPLY_FLAGS, filter.replySource ? address : 0U);
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

std::optional<Flow> flowOf(const Message& message, const Filter& filter) {
  const Attributes attributes = message.attributes<nfgenmsg>();
  const auto originalBytes = attributes.bytes(CTA_TUPLE_ORIG);
  const auto id = attributes.u32(CTA_ID);
  if (!originalBytes || !id) return std::nullopt;
  const Tuple original = tupleOf(Attributes{*originalBytes}, filter.family);
  const Tuple reply = tupleOf(attributes.nested(CTA_TUPLE_REPLY), filter.family);
  if (!matches(filter, original, reply)) return std::nullopt;
  return Flow{{originalBytes->begin(), originalBytes->end()}, *id};
}

Result<std::vector<Flow>> list(Socket& netfilter, const Filter& filter) {
  Batch batch;
  batch.begin(messageType(IPCTNL_MSG_CT_GET), NLM_F_DUMP | NLM_F_ACK, familyHeader(filter.family),
              "list tracked connections");
  putFilter(batch, filter);
  const auto answers = TRY(netfilter.request(batch));
  std::vector<Flow> flows;
  for (const Message& message : answers.front().messages) {
    if (auto flow = flowOf(message, filter)) flows.push_back(*std::move(flow));
  }
  return flows;
}

/// One by one; a flow that has ended meanwhile is fine.
Result<> removeListed(Socket& netfilter, const Filter& filter) {
  Batch batch;
  for (const Flow& flow : TRY(list(netfilter, filter))) {
    batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(filter.family), "delete tracked connection");
    batch.put(CTA_TUPLE_ORIG | NLA_F_NESTED, flow.originalTuple);
    batch.putU32(CTA_ID, flow.id);
  }
  if (batch.empty()) return {};
  for (const Answer& answer : TRY(netfilter.exchange(batch))) {
    if (answer.error != 0 && answer.error != ENOENT) return fail(errorOf(answer, "delete tracked connection"));
  }
  return {};
}

}  // namespace

Result<> remove(Socket& netfilter, std::span<const Filter> filters) {
  if (filters.empty()) return {};
  Batch batch;
  for (const Filter& filter : filters) {
    batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(filter.family),
                "delete tracked connections");
    putFilter(batch, filter);
  }
  const auto answers = TRY(netfilter.exchange(batch));
  for (std::size_t i = 0; i < filters.size(); ++i) {
    // A kernel that does not know CTA_FILTER here takes the tuple for that of one flow, and misses half of it.
    if (answers[i].error == EINVAL) {
      TRY(removeListed(netfilter, filters[i]));
    } else if (answers[i].error != 0) {
      return fail(errorOf(answers[i], batch.what(i)));
    }
  }
  return {};
}

}  // namespace netlib::conntrack

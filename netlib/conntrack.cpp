#include "netlib/conntrack.h"

#include <algorithm>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

namespace netlib::conntrack {

namespace {

/// A bit of CTA_FILTER_*_FLAGS: this part of a tuple counts. Private to the kernel (net/netfilter/nf_internals.h), but
/// part of its binary interface since libnetfilter_conntrack sends them.
constexpr std::uint32_t kSourceAddress = 1U << 0U;

nfgenmsg familyHeader(Family family) {
  nfgenmsg header{};
  header.nfgen_family = static_cast<std::uint8_t>(family);
  header.version = NFNETLINK_V0;
  return header;
}

constexpr unsigned messageType(unsigned message) { return NFNL_SUBSYS_CTNETLINK << 8 | message; }

unsigned sourceAttribute(Family family) { return family == Family::Ipv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC; }

void putSource(Batch& batch, unsigned direction, const std::optional<IpAddress>& source) {
  const auto tuple = batch.nest(direction);
  const auto ip = batch.nest(CTA_TUPLE_IP);
  if (source) batch.put(CTA_IP_V4_SRC, source->bytes());
}

void appendDelete(Batch& batch, const Filter& filter) {
  batch.begin(messageType(IPCTNL_MSG_CT_DELETE), NLM_F_ACK, familyHeader(filter.family), "delete tracked connections");
  // A kernel that does not know CTA_FILTER here takes this for the tuple of one flow, and refuses it: half of it is
  // missing. So it never flushes its whole table instead.
  putSource(batch, CTA_TUPLE_ORIG, filter.originalSource);
  if (filter.replySource) putSource(batch, CTA_TUPLE_REPLY, filter.replySource);
  const auto flags = batch.nest(CTA_FILTER);
  batch.putU32(CTA_FILTER_ORIG_FLAGS, filter.originalSource ? kSourceAddress : 0U);
  batch.putU32(CTA_FILTER_REPLY_FLAGS, filter.replySource ? kSourceAddress : 0U);
}

std::optional<IpAddress> sourceOf(const Attributes& tuple, Family family) {
  const auto bytes = tuple.nested(CTA_TUPLE_IP).bytes(sourceAttribute(family));
  return bytes ? IpAddress::fromBytes(*bytes) : std::nullopt;
}

bool matches(const Filter& filter, const std::optional<IpAddress>& original, const std::optional<IpAddress>& reply) {
  return (!filter.originalSource || filter.originalSource == original) &&
         (!filter.replySource || filter.replySource == reply);
}

/// Appends the deletion of the flow that the kernel tells of, where it matches.
void appendDeleteIfMatching(Batch& batch, const Message& message, Family family, std::span<const Filter> filters) {
  const Attributes attributes = message.attributes<nfgenmsg>();
  const auto originalBytes = attributes.bytes(CTA_TUPLE_ORIG);
  const auto id = attributes.u32(CTA_ID);
  if (!originalBytes || !id) return;
  const auto original = sourceOf(Attributes{*originalBytes}, family);
  const auto reply = sourceOf(attributes.nested(CTA_TUPLE_REPLY), family);
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

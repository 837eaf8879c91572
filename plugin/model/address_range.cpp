#include "plugin/model/address_range.h"

#include <algorithm>

namespace pons {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::Result;

bool hasNetworkAddress(const IpPrefix& subnet) { return subnet.length() < netlib::bitsOf(subnet.family()) - 1; }
bool hasBroadcastAddress(const IpPrefix& subnet) {
  return subnet.family() == Family::Ipv4 && hasNetworkAddress(subnet);
}

namespace {

IpAddress firstUsable(const IpPrefix& subnet) {
  return IpAddress::fromNumber(subnet.family(), subnet.first().number() + (hasNetworkAddress(subnet) ? 1 : 0));
}

IpAddress lastUsable(const IpPrefix& subnet) {
  return IpAddress::fromNumber(subnet.family(), subnet.last().number() - (hasBroadcastAddress(subnet) ? 1 : 0));
}

bool isUsable(const IpPrefix& subnet, const IpAddress& address) {
  return address.family() == subnet.family() && firstUsable(subnet) <= address && address <= lastUsable(subnet);
}

/// Why containers cannot have addresses in this subnet; empty if they can.
std::string objectionTo(const IpPrefix& subnet) {
  if (subnet.hasHostBits()) return "has host bits set: did you mean " + subnet.network().toString() + "?";
  if (subnet.length() == 0) return "has prefix length 0";
  const IpAddress first = subnet.first();
  if (first.isUnspecified()) return "contains the unspecified address";
  if (subnet.overlaps(*IpPrefix::parse("127.0.0.0/8")) || subnet.contains(*IpAddress::parse("::1"))) {
    return "contains loopback addresses";
  }
  if (subnet.overlaps(*IpPrefix::parse("224.0.0.0/4")) || subnet.overlaps(*IpPrefix::parse("ff00::/8"))) {
    return "contains multicast addresses";
  }
  return {};
}

}  // namespace

Result<Range> Range::make(const IpPrefix& subnet, std::optional<IpAddress> start, std::optional<IpAddress> end,
                          std::optional<IpAddress> gateway) {
  const auto invalid = [&subnet](const std::string& why) {
    return netlib::fail(netlib::Cause::Invalid, "subnet " + subnet.toString() + " " + why);
  };
  if (const std::string objection = objectionTo(subnet); !objection.empty()) return invalid(objection);

  const bool isHost = subnet.length() == netlib::bitsOf(subnet.family());
  if (!gateway && !isHost) gateway = firstUsable(subnet);
  if (gateway && gateway->family() != subnet.family()) {
    return invalid("has a gateway of a different address family: " + gateway->toString());
  }
  if (gateway && subnet.contains(*gateway) && !isUsable(subnet, *gateway)) {
    return invalid("has its network or broadcast address as gateway: " + gateway->toString());
  }

  const Range range{subnet, start.value_or(firstUsable(subnet)), end.value_or(lastUsable(subnet)), gateway};
  if (!subnet.contains(range.start)) return invalid("does not contain rangeStart " + range.start.toString());
  if (!subnet.contains(range.end)) return invalid("does not contain rangeEnd " + range.end.toString());
  if (range.end < range.start) return invalid("has a range that ends before it starts: " + range.span().toString());
  return range;
}

Result<> checkRangeSets(std::span<const RangeSet> sets) {
  std::vector<const Range*> seen;
  for (const RangeSet& set : sets) {
    if (set.empty()) return netlib::fail(netlib::Cause::Invalid, "empty range set");
    for (const Range& range : set) {
      if (range.subnet.family() != set.front().subnet.family()) {
        return netlib::fail(netlib::Cause::Invalid, "a range set mixes " + set.front().subnet.toString() + " and " +
                                                        range.subnet.toString() +
                                                        "; each address family needs its own set");
      }
      const auto other =
          std::ranges::find_if(seen, [&range](const Range* r) { return r->span().overlaps(range.span()); });
      if (other != seen.end()) {
        return netlib::fail(netlib::Cause::Invalid,
                            "ranges " + (*other)->span().toString() + " and " + range.span().toString() + " overlap");
      }
      seen.push_back(&range);
    }
  }
  return {};
}

std::vector<AddressSpan> spansOf(std::span<const RangeSet> sets) {
  std::vector<AddressSpan> spans;
  for (const RangeSet& set : sets) std::ranges::transform(set, std::back_inserter(spans), &Range::span);
  return spans;
}

}  // namespace pons

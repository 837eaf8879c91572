#include "plugin/cni/decode/vlan_trunk.h"

#include <algorithm>

namespace pons::cni {

namespace {

using netlib::VlanId;
using netlib::VlanRange;

Result<std::optional<VlanId>> decodeVlan(const Field& field) { return field.number(1, netlib::kMaxVlanId); }

/// One element may have a VLAN and a range.
Result<> appendItem(std::vector<VlanRange>& ranges, const Field& item) {
  TRY(item.object());
  const auto first = TRY(decodeVlan(item["minID"]));
  const auto last = TRY(decodeVlan(item["maxID"]));
  if (first && !last) return item["maxID"].missing();
  if (last && !first) return item["minID"].missing();
  if (first && *first > *last) return item["minID"].invalid("at most \"maxID\"");
  if (first) ranges.push_back({*first, *last});
  if (const auto vlan = TRY(decodeVlan(item["id"]))) ranges.push_back({*vlan, *vlan});
  return {};
}

}  // namespace

Result<std::vector<VlanRange>> decodeVlanTrunk(const Field& trunk) {
  std::vector<VlanRange> ranges;
  for (const Field& item : TRY(trunk.items())) TRY(appendItem(ranges, item));
  std::ranges::sort(ranges, {}, &VlanRange::first);
  std::vector<VlanRange> merged;
  for (const VlanRange& range : ranges) {
    if (merged.empty() || range.first > merged.back().last + 1) {
      merged.push_back(range);
    } else {
      merged.back().last = std::max(merged.back().last, range.last);
    }
  }
  return merged;
}

}  // namespace pons::cni

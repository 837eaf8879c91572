#include "plugin/cni/decode/networks.h"

#include <algorithm>

namespace pons::cni {

namespace {

bool isInside(const netlib::IpPrefix& inner, const netlib::IpPrefix& outer) {
  return outer.length() <= inner.length() && outer.contains(inner.first());
}

}  // namespace

Result<std::vector<netlib::IpPrefix>> decodeNetworks(const Field& list) {
  std::vector<netlib::IpPrefix> all;
  for (const Field& item : TRY(list.items())) {
    const auto network = TRY(item.network());
    if (!network) return item.invalid("a CIDR such as 10.0.0.0/8");
    all.push_back(*network);
  }
  std::ranges::stable_sort(all, {}, &netlib::IpPrefix::length);
  std::vector<netlib::IpPrefix> networks;
  for (const netlib::IpPrefix& prefix : all) {
    const auto covers = [&](const netlib::IpPrefix& other) { return isInside(prefix, other); };
    if (std::ranges::none_of(networks, covers)) networks.push_back(prefix);
  }
  return networks;
}

}  // namespace pons::cni
